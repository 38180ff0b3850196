// The operator's hold as bytes on disk: "crc32c json", told from damage, and placed on the clock of whichever boot reads it.
using System.Buffers;
using System.Text.Json;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Recovery;

public static class HoldCodec
{
    public static byte[] Encode(StandingHold hold, string bootId)
    {
        ArgumentNullException.ThrowIfNull(hold);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("why", hold.Why);
            json.WriteNumber("uid", hold.Uid);
            json.WriteString("boot", bootId);
            Write(json, "since", hold.Since);
            if (hold.Until is { } until)
                Write(json, "until", until);
            json.WriteEndObject();
        }
        return Framed.Wrap(buffer.WrittenSpan);
    }

    /// <summary>
    /// Null when it is damaged. In the boot that wrote it the end lies where it lay on the monotonic clock; in another only the wall
    /// clock tells.
    /// </summary>
    public static StandingHold? Decode(ReadOnlySpan<byte> bytes, string bootId, Instant now)
    {
        var text = Framed.Unwrap(bytes);
        if (text.IsEmpty)
            return null;
        try
        {
            var reader = new Utf8JsonReader(text);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            var sameBoot = root.GetProperty("boot").GetString() == bootId;
            return new StandingHold(
                root.GetProperty("why").GetString() ?? "",
                root.GetProperty("uid").GetUInt32(),
                Read(root.GetProperty("since"), sameBoot, now),
                root.TryGetProperty("until", out var until) ? Read(until, sameBoot, now) : null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    private static void Write(Utf8JsonWriter json, string name, Instant at)
    {
        json.WriteStartObject(name);
        json.WriteNumber("mono_us", at.Monotonic.Ticks / TimeSpan.TicksPerMicrosecond);
        json.WriteNumber("wall_us", (at.Wall - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        json.WriteEndObject();
    }

    private static Instant Read(JsonElement at, bool sameBoot, Instant now)
    {
        var wall = DateTimeOffset.UnixEpoch.AddTicks(checked(at.GetProperty("wall_us").GetInt64() * TimeSpan.TicksPerMicrosecond));
        return sameBoot
            ? new Instant(TimeSpan.FromMicroseconds(at.GetProperty("mono_us").GetInt64()), wall)
            : now.After(wall - now.Wall);
    }
}
