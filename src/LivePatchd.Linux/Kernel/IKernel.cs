// The kernel as the reconcile loop sees it: read everything, or do one thing.
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Kernel;

public interface IKernel
{
    /// <summary>Every livepatch in sysfs, and the modules of these names where they are loaded without one (leftovers).</summary>
    ObservedState Observe(IReadOnlyCollection<PatchName> alsoModules);

    /// <summary>finit_module without parameters; returns after the kernel's first walk over all tasks.</summary>
    SysResult Load(SafeFileHandle module);

    /// <summary>Writes `enabled`: starts a disable, or turns the running transition round.</summary>
    SysResult SetEnabled(PatchName name, bool enabled);

    /// <summary>Writes `force`: every task counts as switched. EINVAL when the patch is not in transition. An operator's last resort.</summary>
    SysResult Force(PatchName name);

    /// <summary>delete_module, never waiting: EAGAIN while something holds the module.</summary>
    SysResult Unload(PatchName name);
}
