// Without /dev/kmsg nothing tells of what others do to the kernel, or of an oops: its files are compared with the last look, often enough to tell within two seconds.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Kernel;

namespace LivePatchd.Loop;

/// <summary>For the loop's thread.</summary>
/// <param name="blind">There is no kernel log; else nothing is ever due.</param>
internal sealed class BlindWatch(IKernel kernel, bool blind)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1.5);

    private ImmutableArray<LoadedPatch> seen = [];
    private (ulong?, ulong?, ulong) counted;

    public Instant? Due { get; private set; }

    /// <summary>After each look.</summary>
    public void Saw(ObservedState state, Instant now)
    {
        if (!blind)
            return;
        (seen, counted) = (state.Patches, Counters(state));
        Due = now.After(Every);
    }

    /// <summary>Something is not as it was seen last: worth a look.</summary>
    /// <param name="onProbation">A patch is; else what the kernel counts is of no interest.</param>
    public bool IsChanged(Func<IReadOnlyCollection<PatchName>> names, Func<bool> onProbation, Instant now)
    {
        if (Due is not { } due || now.IsBefore(due))
            return false;
        Due = now.After(Every);
        var state = kernel.Observe(names());
        return !state.Patches.SequenceEqual(seen) || (Counters(state) != counted && onProbation());
    }

    private static (ulong?, ulong?, ulong) Counters(ObservedState state) => (state.Kernel.OopsCount, state.Kernel.WarnCount, state.Kernel.Tainted);
}
