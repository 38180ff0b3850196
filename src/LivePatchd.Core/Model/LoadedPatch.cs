// One livepatch module as sysfs shows it, and what that combination of files means.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

/// <summary>The kernel's own view of a patch (kernel-facts 4.2): files and their values, nothing remembered.</summary>
public enum KernelPatchState
{
    /// <summary>enabled=1 transition=1: being enabled, or a disable being reversed.</summary>
    Enabling,

    /// <summary>enabled=1 transition=0: the only proof that every task runs the new code.</summary>
    Active,

    /// <summary>enabled=0 transition=1: being disabled, or an enable being cancelled.</summary>
    Disabling,

    /// <summary>enabled=0 transition=0: the instant before the directory goes (kernels from 5.1).</summary>
    Disabled,

    /// <summary>The directory has no `transition`: whether it is complete cannot be known.</summary>
    Opaque,

    /// <summary>No livepatch directory, module there, refcnt 0: may be removed, must be before the name loads again.</summary>
    Unused,

    /// <summary>No livepatch directory, module there, refcnt of 1 or more: forced leftovers or another holder.</summary>
    Pinned,

    /// <summary>Neither directory nor module.</summary>
    NotLoaded,
}

/// <summary>/sys/kernel/livepatch/&lt;patch&gt;/&lt;object&gt;: "vmlinux" or a module, with the functions named below it.</summary>
/// <param name="Patched">`patched` attribute; null before kernel 6.1.</param>
/// <param name="Functions">Names; with ",N" those that are not the first of their name in the object.</param>
public sealed record LivepatchObject(string Name, bool? Patched, ImmutableArray<string> Functions)
{
    /// <summary>Its module is live in the kernel; null when that was not looked for.</summary>
    public bool? IsTargetLoaded { get; init; }

    public ObjectStanding Standing =>
        ObjectName.WhyImpossible(Name) is not null ? ObjectStanding.NeverMatches
        : Patched == true ? ObjectStanding.Patched
        : IsTargetLoaded == false ? ObjectStanding.NotLoaded
        : Patched is null || IsTargetLoaded is null ? ObjectStanding.Unknown
        : ObjectStanding.NotPatched;

    /// <summary>Any function of that name is livepatched here.</summary>
    public bool Patches(string function) => Functions.Any(f => NameOf(f).SequenceEqual(function));

    public static ReadOnlySpan<char> NameOf(string function) => function.IndexOf(',') is >= 0 and var comma ? function.AsSpan(0, comma) : function;
}

/// <param name="Directory">/sys/kernel/livepatch/&lt;name&gt; exists.</param>
/// <param name="Enabled">`enabled`: the target, not the proof.</param>
/// <param name="Transition">`transition`: 1 while this patch is the one in transition.</param>
/// <param name="Replace">`replace`; null where the kernel lacks the attribute (before 6.11).</param>
/// <param name="StackOrder">`stack_order`; null where the kernel lacks it (before 6.14), or has not been asked yet.</param>
/// <param name="ModulePresent">/sys/module/&lt;name&gt; exists.</param>
/// <param name="RefCount">/sys/module/&lt;name&gt;/refcnt; null when unreadable.</param>
/// <param name="Livepatch">The module carries taint K, or has the livepatch directory: it is a livepatch.</param>
public sealed record LoadedPatch(
    PatchName Name,
    bool Directory,
    bool Enabled,
    bool Transition,
    bool? Replace,
    int? StackOrder,
    bool ModulePresent,
    int? RefCount,
    bool Livepatch,
    BuildId? BuildId,
    ImmutableArray<LivepatchObject> Objects)
{
    /// <summary>What is not patched although the patch is complete; null when all of it is that can be.</summary>
    public (Reason Reason, string Detail)? Shortfall
    {
        get
        {
            if (Directory && Objects.IsEmpty)
                return (Reason.ObjectNeverMatches, "the patch names no object");
            if (Objects.FirstOrDefault(static o => o.Standing is ObjectStanding.NeverMatches) is { } never)
                return (Reason.ObjectNeverMatches, $"object {never.Name}: {ObjectName.WhyImpossible(never.Name)}");
            return Objects.FirstOrDefault(static o => o.Standing is ObjectStanding.NotPatched) is { } open
                ? (Reason.ObjectNotPatched, $"object {open.Name} is loaded and not patched")
                : null;
        }
    }

    /// <summary>False where the kernel's livepatches have no `transition` file (openEuler, and kernels before 4.12).</summary>
    public bool HasTransition { get; init; } = true;

    public KernelPatchState State => (Directory, Enabled, Transition) switch
    {
        _ when Directory && !HasTransition => KernelPatchState.Opaque,
        (true, true, true) => KernelPatchState.Enabling,
        (true, true, false) => KernelPatchState.Active,
        (true, false, true) => KernelPatchState.Disabling,
        (true, false, false) => KernelPatchState.Disabled,
        _ when !ModulePresent => KernelPatchState.NotLoaded,
        _ => RefCount == 0 ? KernelPatchState.Unused : KernelPatchState.Pinned,
    };
}
