// Files of the daemon's own: journal, hold and history. Only root writes there, but disks rot and power fails.
using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Fuzz.Targets;

internal static class StateTargets
{
    private const string Boot = "6a7c1dc5-45d2-4b19-8e6b-0a6a3c3a4a55";

    private static readonly Instant Now = new(TimeSpan.FromMinutes(5), new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public static IReadOnlyList<Target> List { get; } =
    [
        new Target<(JournalContent Content, Ledger Ledger)>("journal", static input =>
        {
            var content = JournalCodec.Decode(input);
            return (content, LedgerFold.Replay(content.Records, Boot));
        }, Journal)
        {
            MaxLength = 64 << 10,
            Words = [.. Words.Of(Enum.GetNames<RecordKind>()), .. Words.Of(JournalCodec.VersionLine, "\"mono_us\":", "\"wall_us\":", "\"sha256\":", "\"by\":", "\"reason\":", "null", "{}", "\n", "-9223372036854775808", "1e999", "\"\\ud800\"", "\"errno\":")],
            Repair = static input => WithSums(input, JournalCodec.VersionLine),
        },
        new Target<StandingHold?>("hold", static input => HoldCodec.Decode(input, Boot, Now), Hold)
        {
            MaxLength = 8 << 10,
            Words = Words.Of("\"why\":", "\"uid\":", "\"boot\":", "\"since\":", "\"until\":", "\"mono_us\":", "\"wall_us\":", Boot, "null", "{}", "[", "\"\\ud800\""),
            Repair = static input => WithSums(input, ""),
        },
        new Target<ImmutableArray<HistoryEntry>?>("history", static input => ImpactJson.ReadHistory(input), static (_, read) =>
        {
            if (read is not { } entries)
                return "none";
            var text = Written(entries);
            Expect.That(ImpactJson.ReadHistory(text) is { } again && Written(again).AsSpan().SequenceEqual(text), "a history is written as it is read");
            return $"{Expect.Size(entries.Length)} {entries.Any(static e => e.Impact.During is not null)} {entries.Any(static e => e.Impact.Phases.Length > 0)}";
        })
        {
            MaxLength = 64 << 10,
            Words = Words.Of("\"schema\":1", "\"entries\":[", "null", "1e999", "-1", "79228162514264337593543950335", "\"time\":\"0001-01-01T00:00:00+14:00\"", "\"\\ud800\"", "{}", "[]"),
        },
    ];

    private static string Journal(ReadOnlySpan<byte> input, (JournalContent Content, Ledger Ledger) read)
    {
        var (content, ledger) = read;
        Expect.That(content.Whole >= 0 && content.Whole <= input.Length, "the good part lies within the file");
        byte[] written = [.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine), .. content.Records.SelectMany(JournalCodec.Encode)];
        var again = JournalCodec.Decode(written);
        Expect.That(again.Damage is null && again.Records.SequenceEqual(content.Records), "records are written as they are read");
        Expect.That(JournalCodec.Decode(input[..content.Whole]).Records.SequenceEqual(content.Records), "the good part is good by itself");
        Expect.That(
            LedgerFold.Replay(Compaction.Keep(content.Records, Boot), Boot).Owned.Keys.Order().SequenceEqual(ledger.Owned.Keys.Order()),
            "a compacted journal owns the same patches");
        return $"{Expect.Size(content.Records.Length)} {ModuleTargets.Digitless(content.Damage ?? "")} {(content.Records.IsEmpty ? "" : content.Records[^1].Kind)} {ledger.Owned.Count > 0} {ledger.Quarantined.Count > 0}";
    }

    private static string Hold(ReadOnlySpan<byte> input, StandingHold? read)
    {
        if (read is not { } hold)
            return "none";
        var written = HoldCodec.Encode(hold, Boot);
        Expect.That(HoldCodec.Decode(written, Boot, Now) is { } again && HoldCodec.Encode(again, Boot).AsSpan().SequenceEqual(written), "a hold is written as it is read");
        _ = hold.IsOver(Now);
        return $"{hold.Until is null} {hold.Why.Length > 0}";
    }

    // "crc32c json" lines get the sums that they should have.
    private static byte[] WithSums(byte[] input, string heading)
    {
        var rest = input.AsSpan();
        var result = new MemoryStream();
        var start = Encoding.ASCII.GetBytes(heading);
        if (rest.StartsWith(start))
            rest = rest[start.Length..];
        result.Write(start);
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            var json = line.IndexOf((byte)'{') is >= 0 and var brace ? line[brace..] : line;
            result.Write(Encoding.ASCII.GetBytes(JournalCodec.Crc32C(json).ToString("x8", CultureInfo.InvariantCulture) + " "));
            result.Write(json);
            result.WriteByte((byte)'\n');
        }
        return result.ToArray();
    }

    private static byte[] Written(ImmutableArray<HistoryEntry> entries)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
            ImpactJson.WriteHistory(json, entries);
        return bytes.WrittenSpan.ToArray();
    }
}
