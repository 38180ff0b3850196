// Without /dev/kmsg nothing tells of what others do to the kernel: sysfs is compared with the last look, often enough to tell of it within two seconds.
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

    public Instant? Due { get; private set; }

    /// <summary>After each look.</summary>
    public void Saw(ObservedState state, Instant now)
    {
        if (!blind)
            return;
        seen = state.Patches;
        Due = now.After(Every);
    }

    /// <summary>Something is not as it was seen last: worth a look.</summary>
    public bool IsChanged(Func<IReadOnlyCollection<PatchName>> names, Instant now)
    {
        if (Due is not { } due || now.IsBefore(due))
            return false;
        Due = now.After(Every);
        return !kernel.Observe(names()).Patches.SequenceEqual(seen);
    }
}
