// One reading of the kernel: every livepatch it has, and every module left over under a name of interest.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

public sealed record ObservedState(KernelFacts Kernel, ImmutableArray<LoadedPatch> Patches)
{
    /// <summary>The patch in transition; the kernel allows one at a time.</summary>
    public LoadedPatch? InTransition => Patches.FirstOrDefault(p => p is { Directory: true, Transition: true });

    public LoadedPatch? Find(PatchName name) => Patches.FirstOrDefault(p => p.Name == name);
}
