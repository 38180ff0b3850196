// The history as JSON: one shape for the file, the bus and the command line; null where a figure is unknown.
using System.Collections.Immutable;
using System.Text.Json;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Policy.Impact;

public static class ImpactJson
{
    public const int Schema = 1;

    public static void WriteHistory(Utf8JsonWriter json, IEnumerable<HistoryEntry> entries)
    {
        json.WriteStartObject();
        json.WriteNumber("schema", Schema);
        json.WriteStartArray("entries");
        foreach (var entry in entries)
            Write(json, entry);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, HistoryEntry entry)
    {
        json.WriteStartObject();
        json.WriteString("time", entry.Time.ToUniversalTime());
        json.WriteString("patch", entry.Patch.Value);
        json.WriteString("sha256", entry.Digest?.Hex);
        json.WriteString("operation", Word(entry.Operation));
        json.WriteString("result", Word(entry.Result));
        json.WriteString("reason", entry.Why?.Word());
        json.WriteString("detail", entry.Detail);
        json.WriteString("grade", entry.Grade?.Word());
        json.Seconds("load_seconds", entry.Load);
        json.Seconds("transition_seconds", entry.Transition);
        json.WriteStartObject("impact");
        json.Delta("before", entry.Impact.Before);
        json.Delta("during", entry.Impact.During);
        json.Delta("after", entry.Impact.After);
        json.WriteStartArray("phases");
        foreach (var phase in entry.Impact.Phases)
        {
            json.WriteStartObject();
            json.WriteString("phase", Word(phase.Phase));
            json.Seconds("seconds", phase.Duration);
            json.Seconds("longest_stall_seconds", phase.LongestStall);
            json.Delta("delta", phase.Delta);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.Seconds("longest_stall_seconds", entry.Impact.LongestStall);
        json.WriteStartObject("io_stall_ratio");
        json.Points("before", entry.Impact.Series.Before);
        json.Points("during", entry.Impact.Series.During);
        json.Points("after", entry.Impact.Series.After);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Total: null when the text is not a history of this schema.</summary>
    public static ImmutableArray<HistoryEntry>? ReadHistory(ReadOnlySpan<byte> text)
    {
        try
        {
            var reader = new Utf8JsonReader(text);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            if (reader.Read() || root.GetProperty("schema").GetInt32() != Schema)
                return null;
            return [.. root.GetProperty("entries").EnumerateArray().Select(ImpactJsonReader.Entry)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    public static string Word(Operation operation) => operation is Operation.Apply ? "apply" : "revert";

    public static string Word(OperationResult result) => result switch
    {
        OperationResult.Done => "done",
        OperationResult.Reversed => "reversed",
        _ => "failed",
    };

    public static string Word(ImpactPhase phase) => phase switch
    {
        ImpactPhase.Load => "load",
        ImpactPhase.Transition => "transition",
        _ => "revert",
    };

    private static void Delta(this Utf8JsonWriter json, string key, PressureDelta? delta)
    {
        if (delta is null)
        {
            json.WriteNull(key);
            return;
        }
        json.WriteStartObject(key);
        json.Seconds("seconds", delta.Duration);
        json.Seconds("io_stall_seconds", delta.IoStall);
        json.Seconds("io_full_stall_seconds", delta.IoFullStall);
        json.Seconds("cpu_stall_seconds", delta.CpuStall);
        json.Seconds("memory_stall_seconds", delta.MemoryStall);
        json.Seconds("memory_full_stall_seconds", delta.MemoryFullStall);
        json.Count("out_segments", delta.OutSegments);
        json.Count("retransmitted_segments", delta.RetransmittedSegments);
        json.Count("softirq_squeezes", delta.SoftirqSqueezes);
        json.Count("oopses", delta.Oopses);
        json.Count("warnings", delta.Warnings);
        json.WriteEndObject();
    }

    private static void Seconds(this Utf8JsonWriter json, string key, TimeSpan? span)
    {
        // Decimal, so that a microsecond is written as one.
        if (span is { } s)
            json.WriteNumber(key, s.Ticks / (decimal)TimeSpan.TicksPerSecond);
        else
            json.WriteNull(key);
    }

    private static void Count(this Utf8JsonWriter json, string key, ulong? count)
    {
        if (count is { } n)
            json.WriteNumber(key, n);
        else
            json.WriteNull(key);
    }

    private static void Points(this Utf8JsonWriter json, string key, ImmutableArray<double?> points)
    {
        json.WriteStartArray(key);
        foreach (var point in points)
        {
            if (point is { } share)
                json.WriteNumberValue((decimal)Math.Round(share, 3));
            else
                json.WriteNullValue();
        }
        json.WriteEndArray();
    }
}
