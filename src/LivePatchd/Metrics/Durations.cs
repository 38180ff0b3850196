// Durations counted into fixed buckets, with the last operation of each bucket as its example.
namespace LivePatchd.Metrics;

/// <summary>Thread-safe: recorded by the loop, read by scrapes.</summary>
/// <param name="bounds">Upper bounds in seconds, ascending; none makes a sum and a count.</param>
internal sealed class Durations(params double[] bounds)
{
    private readonly Lock gate = new();
    private readonly long[] counts = new long[bounds.Length + 1];
    private readonly Exemplar?[] examples = new Exemplar?[bounds.Length + 1];
    private double sum;

    public void Record(TimeSpan took, Exemplar? example = null)
    {
        var seconds = Math.Max(0, took.TotalSeconds);
        var bucket = 0;
        while (bucket < bounds.Length && seconds > bounds[bucket])
            bucket++;
        lock (gate)
        {
            counts[bucket]++;
            sum += seconds;
            if (example is not null)
                examples[bucket] = example with { Value = seconds };
        }
    }

    /// <summary>Cumulative, as scrapers want them.</summary>
    public DurationView View()
    {
        lock (gate)
        {
            var total = 0L;
            var buckets = new (double Bound, long Count, Exemplar? Example)[counts.Length];
            for (var i = 0; i < counts.Length; i++)
                buckets[i] = (i < bounds.Length ? bounds[i] : double.PositiveInfinity, total += counts[i], examples[i]);
            return new DurationView(buckets, sum, total);
        }
    }
}

internal sealed record DurationView((double Bound, long Count, Exemplar? Example)[] Buckets, double Sum, long Count);

/// <summary>One operation that a bucket counts: what leads from a dashboard to the journal. OpenMetrics bounds its labels to 128 characters.</summary>
/// <param name="Job">Null where nobody asked for the operation.</param>
/// <param name="Sha256">The first twelve digits, as in patch_info.</param>
internal sealed record Exemplar(uint? Job, string Sha256, DateTimeOffset At)
{
    public double Value { get; init; }
}
