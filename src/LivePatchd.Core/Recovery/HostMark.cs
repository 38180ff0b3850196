// The mark that a boot leaves on disk: whether it was shut down, and the runs of the daemon in it that have not ended well yet.
using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Recovery;

/// <param name="ShutDown">The daemon was stopped because the host was going down.</param>
/// <param name="Runs">Begins of the daemon's runs in this boot that no clean end followed, oldest first.</param>
public sealed record HostMark(string BootId, bool ShutDown, ImmutableArray<Instant> Runs)
{
    /// <summary>Enough to tell a loop; older ones have no bearing.</summary>
    public const int MaxRuns = 8;

    /// <summary>The daemon begins a run in this boot.</summary>
    /// <param name="before">Null when there is none that can be read.</param>
    public static HostMark Begin(HostMark? before, string bootId, Instant now) =>
        new(bootId, false, [.. Earlier(before, bootId).Append(now).TakeLast(MaxRuns)]);

    /// <summary>The run has ended as it should.</summary>
    public HostMark End(bool shutDown) => this with { ShutDown = shutDown, Runs = [] };

    /// <summary>The last run was killed by something else than itself, and counts as none.</summary>
    public HostMark WithoutLastRun() => Runs.IsEmpty ? this : this with { Runs = Runs[..^1] };

    /// <summary>Runs of this boot that did not end well.</summary>
    public static ImmutableArray<Instant> Earlier(HostMark? before, string bootId) => before?.BootId == bootId ? before.Runs : [];

    public byte[] Encode()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("boot", BootId);
            json.WriteBoolean("shut_down", ShutDown);
            json.WriteStartArray("runs");
            foreach (var run in Runs)
            {
                json.WriteStartObject();
                json.WriteNumber("mono_us", (long)run.Monotonic.TotalMicroseconds);
                json.WriteNumber("wall_us", (run.Wall - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Framed.Wrap(buffer.WrittenSpan);
    }

    /// <summary>Null when it is damaged.</summary>
    public static HostMark? Decode(ReadOnlySpan<byte> bytes)
    {
        var text = Framed.Unwrap(bytes);
        if (text.IsEmpty)
            return null;
        try
        {
            var reader = new Utf8JsonReader(text);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            return root.GetProperty("boot").GetString() is { Length: > 0 } boot
                ? new HostMark(boot, root.GetProperty("shut_down").GetBoolean(), [.. root.GetProperty("runs").EnumerateArray().Take(MaxRuns).Select(Read)])
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    private static Instant Read(JsonElement at) => new(
        TimeSpan.FromMicroseconds(at.GetProperty("mono_us").GetInt64()),
        DateTimeOffset.UnixEpoch.AddTicks(checked(at.GetProperty("wall_us").GetInt64() * TimeSpan.TicksPerMicrosecond)));
}
