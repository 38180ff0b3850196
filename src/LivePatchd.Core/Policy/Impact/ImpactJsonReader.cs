// Reads one entry of the history back; what is not of the shape throws, and the caller says what that means.
using System.Collections.Immutable;
using System.Text.Json;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Policy.Impact;

internal static class ImpactJsonReader
{
    private const int MaxPhases = 8;

    public static HistoryEntry Entry(JsonElement e) => new(
        e.GetProperty("time").GetDateTimeOffset(),
        PatchName.TryParseLoaded(e.GetProperty("patch").GetString()) ?? throw new FormatException("patch"),
        Sha256.TryParse(e.GetProperty("sha256").GetString()),
        OneOf<Operation>(e.GetProperty("operation"), ImpactJson.Word),
        OneOf<OperationResult>(e.GetProperty("result"), ImpactJson.Word),
        Report(e.GetProperty("impact")))
    {
        Why = Text(e, "reason") is { } word ? ReasonTable.Parse(word)?.Reason : null,
        Detail = Text(e, "detail"),
        Grade = Grades.Parse(Text(e, "grade")),
    };

    /// <summary>Absent in what an older version wrote.</summary>
    private static string? Text(JsonElement e, string key) => e.TryGetProperty(key, out var value) ? value.GetString() : null;

    private static ImpactReport Report(JsonElement e)
    {
        var series = e.GetProperty("io_stall_ratio");
        return new ImpactReport(
            Delta(e.GetProperty("before")),
            Delta(e.GetProperty("during")),
            Delta(e.GetProperty("after")),
            [.. e.GetProperty("phases").EnumerateArray().Take(MaxPhases).Select(Phase)],
            Seconds(e.GetProperty("longest_stall_seconds")),
            new ImpactSeries(Points(series, "before"), Points(series, "during"), Points(series, "after")));
    }

    private static PhaseImpact Phase(JsonElement e) => new(
        OneOf<ImpactPhase>(e.GetProperty("phase"), ImpactJson.Word),
        Seconds(e.GetProperty("seconds")) ?? throw new FormatException("seconds"),
        Delta(e.GetProperty("delta")),
        Seconds(e.GetProperty("longest_stall_seconds")));

    private static PressureDelta? Delta(JsonElement e) => e.ValueKind is JsonValueKind.Null ? null : new PressureDelta(
        Seconds(e.GetProperty("seconds")) is { } length && length > TimeSpan.Zero ? length : throw new FormatException("seconds"),
        Seconds(e.GetProperty("io_stall_seconds")),
        Seconds(e.GetProperty("io_full_stall_seconds")),
        Seconds(e.GetProperty("cpu_stall_seconds")),
        Seconds(e.GetProperty("memory_stall_seconds")),
        Seconds(e.GetProperty("memory_full_stall_seconds")),
        Count(e.GetProperty("out_segments")),
        Count(e.GetProperty("retransmitted_segments")),
        Count(e.GetProperty("softirq_squeezes")),
        Count(e.GetProperty("oopses")),
        Count(e.GetProperty("warnings")));

    private static TimeSpan? Seconds(JsonElement e)
    {
        if (e.ValueKind is JsonValueKind.Null)
            return null;
        var ticks = decimal.ToInt64(e.GetDecimal() * TimeSpan.TicksPerSecond);
        return ticks >= 0 ? TimeSpan.FromTicks(ticks) : throw new FormatException("a span below zero");
    }

    private static ulong? Count(JsonElement e) => e.ValueKind is JsonValueKind.Null ? null : e.GetUInt64();

    private static ImmutableArray<double?> Points(JsonElement e, string key) =>
        [.. e.GetProperty(key).EnumerateArray().Take(ImpactSeries.MaxPoints).Select(static p => p.ValueKind is JsonValueKind.Null ? (double?)null : Math.Clamp(p.GetDouble(), 0, 1))];

    private static T OneOf<T>(JsonElement e, Func<T, string> word)
        where T : struct, Enum
    {
        var text = e.GetString();
        foreach (var value in Enum.GetValues<T>())
        {
            if (word(value) == text)
                return value;
        }
        throw new FormatException(typeof(T).Name);
    }
}
