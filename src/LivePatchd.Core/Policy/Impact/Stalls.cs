// The longest single stall in a row of samples, and the row's io pressure as a few points.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Impact;

public static class Stalls
{
    /// <summary>Between two samples the machine stalled when io or memory made some task wait for at least this share of the time.</summary>
    public const double StalledAtRatio = 0.5;

    /// <summary>
    /// Length of the longest run of neighbouring samples between which the machine stalled; zero when it never did. A stall is
    /// known no finer than the samples are apart. Cpu does not count: a busy machine's tasks wait for it all the time. Null when
    /// neither io nor memory was ever known.
    /// </summary>
    public static TimeSpan? Longest(ReadOnlySpan<PressureSample> samples)
    {
        TimeSpan? longest = null;
        var run = TimeSpan.Zero;
        for (var i = 1; i < samples.Length; i++)
        {
            var stalled = PressureDelta.Between(samples[i - 1], samples[i]) is { } delta ? IsStalled(delta) : null;
            run = stalled is true ? run + samples[i].At.Since(samples[i - 1].At) : TimeSpan.Zero;
            if (stalled is not null && (longest is null || run > longest))
                longest = run;
        }
        return longest;
    }

    /// <summary>At most so many points, each over as many neighbouring samples as it takes.</summary>
    public static ImmutableArray<double?> Points(ReadOnlySpan<PressureSample> samples, int most)
    {
        var steps = samples.Length - 1;
        if (steps < 1)
            return [];
        var points = Math.Min(most, steps);
        var shares = ImmutableArray.CreateBuilder<double?>(points);
        for (var i = 0; i < points; i++)
        {
            var (from, to) = ((int)((long)i * steps / points), (int)((i + 1L) * steps / points));
            shares.Add(PressureDelta.Between(samples[from], samples[to]) is { } delta ? delta.Ratio(delta.IoStall) : null);
        }
        return shares.MoveToImmutable();
    }

    private static bool? IsStalled(PressureDelta delta) => (delta.Ratio(delta.IoStall), delta.Ratio(delta.MemoryStall)) switch
    {
        (null, null) => null,
        var (io, memory) => io >= StalledAtRatio || memory >= StalledAtRatio,
    };
}
