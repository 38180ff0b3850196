// The baseline of a journal record as a JSON object: absent keys are what is not known.
using System.Text.Json;

namespace LivePatchd.Core.Recovery;

internal static class BaselineJson
{
    private const string Key = "baseline";

    public static void Write(Utf8JsonWriter json, HealthBaseline baseline)
    {
        json.WriteStartObject(Key);
        Optional(json, "oops", baseline.OopsCount);
        Optional(json, "warn", baseline.WarnCount);
        json.WriteNumber("taint", baseline.Tainted);
        if (baseline.FailedUnits is { } units)
        {
            json.WriteStartArray("failed_units");
            foreach (var unit in units)
                json.WriteStringValue(unit);
            json.WriteEndArray();
        }
        if (baseline.PressureOpen is { } open)
            json.WriteBoolean("pressure_open", open);
        Optional(json, "log", baseline.LogSequence);
        json.WriteEndObject();
    }

    /// <summary>Null when there is none, or what stands there is none: then nothing is judged by it.</summary>
    public static HealthBaseline? Read(JsonElement root)
    {
        if (!root.TryGetProperty(Key, out var json) || json.ValueKind != JsonValueKind.Object)
            return null;
        return new HealthBaseline(
            Number(json, "oops"),
            Number(json, "warn"),
            Number(json, "taint") ?? 0,
            json.TryGetProperty("failed_units", out var units) && units.ValueKind == JsonValueKind.Array
                ? [.. units.EnumerateArray().Where(u => u.ValueKind == JsonValueKind.String).Select(u => u.GetString()!)]
                : null,
            json.TryGetProperty("pressure_open", out var open) && open.ValueKind is JsonValueKind.True or JsonValueKind.False ? open.ValueKind == JsonValueKind.True : null,
            Number(json, "log"));
    }

    private static void Optional(Utf8JsonWriter json, string key, ulong? value)
    {
        if (value is { } number)
            json.WriteNumber(key, number);
    }

    private static ulong? Number(JsonElement json, string key) =>
        json.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out var number) ? number : null;
}
