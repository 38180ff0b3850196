// One journal record as a JSON object: fixed keys, absent when empty, unknown keys ignored so that an older daemon can read on.
using System.Buffers;
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Recovery;

internal static class JournalJson
{
    /// <param name="unsynced">Bytes before this record that were not yet known to be on disk when it was written.</param>
    public static void Write(IBufferWriter<byte> to, JournalRecord r, long unsynced)
    {
        using var json = new Utf8JsonWriter(to);
        json.WriteStartObject();
        json.WriteString("kind", r.Kind.Word());
        json.WriteString("name", r.Name.Value);
        json.WriteString("boot", r.BootId);
        json.WriteNumber("mono_us", r.At.Monotonic.Ticks / TimeSpan.TicksPerMicrosecond);
        json.WriteNumber("wall_us", (r.At.Wall - DateTimeOffset.UnixEpoch).Ticks / 10);
        if (unsynced > 0)
            json.WriteNumber("unsynced", unsynced);
        Optional(json, "sha256", r.Digest?.Hex);
        Optional(json, "content_sha256", r.Content?.Hex);
        Optional(json, "build_id", r.BuildId?.Hex);
        Optional(json, "path", r.Path);
        Optional(json, "file_system", r.FileSystem);
        Optional(json, "reason", r.Reason?.Word());
        if (r.Errno != Errno.None)
            json.WriteNumber("errno", (int)r.Errno);
        Optional(json, "detail", r.Detail);
        Optional(json, "by", r.By?.Value);
        Optional(json, "by_sha256", r.ByDigest?.Hex);
        if (r.OverrideGates)
            json.WriteBoolean("override_gates", true);
        if (r.Deadline is { } deadline)
            json.WriteNumber("deadline_us", (deadline - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        if (r.MustConfirm)
            json.WriteBoolean("must_confirm", true);
        if (r.Baseline is { } baseline)
            BaselineJson.Write(json, baseline);
        if (r.WaitsForBoot)
            json.WriteBoolean("waits_for_boot", true);
        if (r.Grade is not EvidenceGrade.Attributed)
            json.WriteString("grade", r.Grade.Word());
        if (r.SoakDuration > TimeSpan.Zero)
            json.WriteNumber("soak_us", r.SoakDuration.Ticks / TimeSpan.TicksPerMicrosecond);
        if (r.Downgrade)
            json.WriteBoolean("downgrade", true);
        if (r.Mark is { } mark)
        {
            json.WriteString("release", mark.Id.Release);
            json.WriteString("stream", mark.Id.Stream);
            json.WriteString("key", mark.Id.Key);
            json.WriteNumber("sequence", mark.Sequence);
        }
        json.WriteEndObject();
    }

    /// <summary>Null when the text is no record that this version understands.</summary>
    public static JournalRecord? Read(ReadOnlySpan<byte> line, out long unsynced)
    {
        unsynced = 0;
        try
        {
            var reader = new Utf8JsonReader(line);
            using var document = JsonDocument.ParseValue(ref reader);
            if (Read(document.RootElement) is not { } record)
                return null;
            unsynced = document.RootElement.TryGetProperty("unsynced", out var bytes) ? bytes.GetInt64() : 0;
            return record;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException or OverflowException or KeyNotFoundException)
        {
            return null;
        }
    }

    /// <summary>True when the text is a record of a kind that this version does not know: what a newer one has written.</summary>
    public static bool IsOfUnknownKind(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            using var document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && Text(document.RootElement, "kind") is { Length: > 0 } word && RecordWords.Parse(word) is null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON, or text that is no UTF-8.
            return false;
        }
    }

    private static JournalRecord? Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object
            || Text(root, "kind") is not { } word
            || RecordWords.Parse(word) is not { } kind
            || PatchName.TryParse(Text(root, "name")) is not { } name
            || Text(root, "boot") is not { Length: > 0 } boot)
            return null;
        var at = new Instant(
            TimeSpan.FromMicroseconds(root.GetProperty("mono_us").GetInt64()),
            DateTimeOffset.UnixEpoch.AddTicks(checked(root.GetProperty("wall_us").GetInt64() * 10)));
        return new JournalRecord(
            kind, name, boot, at,
            Sha256.TryParse(Text(root, "sha256")),
            BuildId.TryParse(Text(root, "build_id")),
            Text(root, "path"),
            Text(root, "reason") is { } reason ? ReasonTable.Parse(reason)?.Reason : null,
            root.TryGetProperty("errno", out var errno) ? (Errno)errno.GetInt32() : Errno.None,
            Text(root, "detail"),
            PatchName.TryParseLoaded(Text(root, "by")),
            Sha256.TryParse(Text(root, "by_sha256")))
        {
            Content = Sha256.TryParse(Text(root, "content_sha256")),
            FileSystem = Text(root, "file_system"),
            OverrideGates = IsTrue(root, "override_gates"),
            Deadline = root.TryGetProperty("deadline_us", out var deadline)
                ? DateTimeOffset.UnixEpoch.AddTicks(checked(deadline.GetInt64() * TimeSpan.TicksPerMicrosecond))
                : null,
            MustConfirm = IsTrue(root, "must_confirm"),
            Baseline = BaselineJson.Read(root),
            WaitsForBoot = IsTrue(root, "waits_for_boot"),
            Downgrade = IsTrue(root, "downgrade"),
            // What an older version recorded was quarantined until somebody releases it.
            Grade = Grades.Parse(Text(root, "grade")) ?? EvidenceGrade.Attributed,
            SoakDuration = root.TryGetProperty("soak_us", out var soak) ? TimeSpan.FromMicroseconds(soak.GetInt64()) : TimeSpan.Zero,
            Mark = Text(root, "stream") is { } stream
                ? new StreamMark(new StreamId(Text(root, "release") ?? "", stream, Text(root, "key") ?? ""), root.GetProperty("sequence").GetInt32())
                : null,
        };
    }

    private static bool IsTrue(JsonElement root, string key) => root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.True;

    private static void Optional(Utf8JsonWriter json, string key, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            json.WriteString(key, value);
    }

    private static string? Text(JsonElement root, string key) =>
        root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
