// One metric family: its name, type, help and labels, and how its series are read. SeriesTable lists all of them.
namespace LivePatchd.Metrics;

internal enum FamilyKind
{
    Gauge,
    Counter,
    Histogram,

    /// <summary>Sum and count of a duration, without quantiles.</summary>
    Summary,

    /// <summary>A gauge that is always 1 and carries its message in the labels.</summary>
    Info,
}

/// <param name="Name">As Prometheus stores it: a counter with `_total`, an info metric with `_info`.</param>
/// <param name="Help">One sentence.</param>
/// <param name="Labels">In the order in which points give their values.</param>
/// <param name="Read">A value that is unknown, or that has no meaning now, has no point.</param>
internal sealed record Family(string Name, FamilyKind Kind, string Help, string[] Labels, Func<Reading, IEnumerable<Point>> Read)
{
    /// <summary>By OpenMetrics, where the suffix of a counter and of an info metric belongs to the sample.</summary>
    public string OpenMetricsName => Kind switch
    {
        FamilyKind.Counter => Name[..^"_total".Length],
        FamilyKind.Info => Name[..^"_info".Length],
        _ => Name,
    };

    public string? Unit =>
        OpenMetricsName.EndsWith("_seconds", StringComparison.Ordinal) ? "seconds"
        : OpenMetricsName.EndsWith("_bytes", StringComparison.Ordinal) ? "bytes"
        : null;
}

/// <param name="Labels">Values; an empty one is a label that is not there.</param>
/// <param name="Durations">Of a histogram or a summary, in place of the value.</param>
internal readonly record struct Point(double Value, string[] Labels, DurationView? Durations = null)
{
    public static Point Of(double value, params string[] labels) => new(value, labels);

    public static Point Of(DateTimeOffset moment, params string[] labels) => new(Math.Round((moment - DateTimeOffset.UnixEpoch).TotalSeconds, 3), labels);

    public static Point Of(DurationView durations, params string[] labels) => new(0, labels, durations);
}
