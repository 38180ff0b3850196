// The kernel as the reconcile loop sees it: read everything, or do one thing.
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Kernel;

public interface IKernel
{
    /// <summary>Every livepatch in sysfs, and the modules of these names where they are loaded without one (leftovers). Takes no lock of the
    /// kernel's livepatch core, so it tells no stack order.</summary>
    ObservedState Observe(IReadOnlyCollection<PatchName> alsoModules);

    /// <summary>The kernel has `stack_order` (from 6.14) for this patch; waits for nothing.</summary>
    bool TellsStackOrder(PatchName name);

    /// <summary>
    /// `stack_order` of those of these patches that are there. Not for the thread that decides: the kernel reads it under klp_mutex, which
    /// it holds through a whole load, and through a patch's callbacks.
    /// </summary>
    IReadOnlyDictionary<PatchName, int> StackOrders(IReadOnlyCollection<PatchName> names);

    /// <summary>finit_module without parameters; returns after the kernel's first walk over all tasks.</summary>
    SysResult Load(SafeFileHandle module);

    /// <summary>Writes `enabled`: starts a disable, or turns the running transition round.</summary>
    SysResult SetEnabled(PatchName name, bool enabled);

    /// <summary>Writes `force`: every task counts as switched. EINVAL when the patch is not in transition. An operator's last resort.</summary>
    SysResult Force(PatchName name);

    /// <summary>delete_module, never waiting: EAGAIN while something holds the module.</summary>
    SysResult Unload(PatchName name);
}
