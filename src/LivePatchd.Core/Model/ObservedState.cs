// One reading of the kernel: every livepatch it has, and every module left over under a name of interest.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

public sealed record ObservedState(KernelFacts Kernel, ImmutableArray<LoadedPatch> Patches)
{
    /// <summary>False when something could not be read although it may be there: what is missing from such a picture is not known to be gone.</summary>
    public bool Whole { get; init; } = true;

    /// <summary>The patch in transition; the kernel allows one at a time.</summary>
    public LoadedPatch? InTransition => Patches.FirstOrDefault(p => p is { Directory: true, Transition: true });

    public LoadedPatch? Find(PatchName name) => Patches.FirstOrDefault(p => p.Name == name);
}
