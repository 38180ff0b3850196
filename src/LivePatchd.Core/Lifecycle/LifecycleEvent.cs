// What can be true of a patch at one look: the events of its life cycle, named by the fact and not by the action.
namespace LivePatchd.Core.Lifecycle;

public enum LifecycleEvent
{
    /// <summary>Wanted, but this kernel or this process cannot livepatch.</summary>
    CannotPatch,

    /// <summary>Wanted, and refused for good.</summary>
    Refused,

    /// <summary>Wanted, and something stands against it for now.</summary>
    Blocked,

    /// <summary>Wanted, and nothing stands against it but the turn of others.</summary>
    Ready,

    /// <summary>finit_module is running.</summary>
    LoadCalled,

    /// <summary>enabled=1 transition=1.</summary>
    Enabling,

    /// <summary>In transition for longer than the soft deadline.</summary>
    Overdue,

    /// <summary>An enable that never completed is being taken back.</summary>
    Cancelling,

    /// <summary>transition=0 on an enabled patch, watched for a while.</summary>
    OnProbation,

    /// <summary>transition=0 on an enabled patch, and nothing left to watch.</summary>
    Patched,

    /// <summary>To be disabled, being disabled, or disabled with the module still there.</summary>
    Leaving,

    /// <summary>Module out of the kernel, by our hand or an operator's decision.</summary>
    Out,

    /// <summary>A cumulative patch took over.</summary>
    Replaced,

    /// <summary>In the kernel, and not ours.</summary>
    SeenForeign,

    /// <summary>Digest under quarantine, out of the kernel, or in it until reboot.</summary>
    Quarantined,

    /// <summary>A forced transition pins it until reboot.</summary>
    PinnedByForce,
}
