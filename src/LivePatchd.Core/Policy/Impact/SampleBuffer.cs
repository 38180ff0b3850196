// Samples of an operation of any length in bounded memory: when full, every second one goes and only every second one is taken.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Impact;

/// <summary>At ten samples a second the first thinning comes after about seven minutes.</summary>
public sealed class SampleBuffer(int capacity = 4096)
{
    private readonly List<PressureSample> samples = [];
    private int stride = 1;
    private int skipped;

    public int Count => samples.Count;

    /// <param name="always">At the edge of a phase: taken whatever the stride.</param>
    public void Add(in PressureSample sample, bool always = false)
    {
        if (++skipped < stride && !always)
            return;
        skipped = 0;
        samples.Add(sample);
        if (samples.Count < capacity)
            return;
        var kept = 0;
        for (var i = 0; i < samples.Count; i++)
        {
            // The first says where it began, the last where it stands.
            if (i % 2 == 0 || i == samples.Count - 1)
                samples[kept++] = samples[i];
        }
        samples.RemoveRange(kept, samples.Count - kept);
        stride *= 2;
    }

    public ImmutableArray<PressureSample> ToImmutable() => [.. samples];
}
