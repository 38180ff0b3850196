// Power cuts: whatever a disk does to the bytes that were not synced, every synced record is read and nothing that was never written.
using System.Text;
using CsCheck;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class JournalPowerCutTests
{
    private const int Block = 512;

    private static readonly Gen<JournalRecord> Records =
        from kind in Gen.Enum<RecordKind>()
        from seconds in Gen.Int[0, 100_000]
        from detail in Gen.String[Gen.Char['a', 'z'], 0, 700]
        select new JournalRecord(
            kind, PatchName.Parse("lp_one"), "6a7c1dc5-45d2-4b19-8e6b-0a6a3c3a4a55",
            new Instant(TimeSpan.FromSeconds(seconds), DateTimeOffset.UnixEpoch.AddSeconds(seconds)), Detail: detail.Length == 0 ? null : detail);

    /// <summary>Durable: what came before is synced first, then the record. Not synced after: the cut comes between its write and its sync.</summary>
    private sealed record Append(JournalRecord Record, bool Durable, bool FlushedAfter);

    private static readonly Gen<Append> Appends = Gen.Select(Records, Gen.Bool, Gen.Int[0, 4], (record, durable, flush) => new Append(record, durable, flush == 0));

    private sealed class Disk
    {
        public List<byte> Content { get; } = [.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine)];

        public List<JournalRecord> Written { get; } = [];

        public int SyncedBytes { get; private set; }

        public int SyncedRecords { get; private set; }

        public Disk(IEnumerable<Append> appends, bool lastIsSynced)
        {
            Sync();
            var list = appends.ToList();
            foreach (var (record, durable, flushed) in list)
            {
                if (durable)
                    Sync();
                Content.AddRange(JournalCodec.EncodeBehind(Content.Count - SyncedBytes, record));
                Written.Add(record);
                if ((durable && (lastIsSynced || Written.Count < list.Count)) || flushed)
                    Sync();
            }
        }

        /// <summary>The file after a cut: any length from what was synced on, and any block of the rest as it was before, zeroed, or of other bytes.</summary>
        public byte[] Cut(int length, int[] fates, byte[] garbage)
        {
            var left = Content.Take(SyncedBytes + length % (Content.Count - SyncedBytes + 1)).ToArray();
            for (var at = SyncedBytes; at < left.Length; at++)
            {
                var block = at / Block;
                // The disk writes a block whole or not at all; before its write there was nothing, or what a file system left there.
                var fate = fates[block % fates.Length];
                if (fate == 1)
                    left[at] = 0;
                else if (fate == 2)
                    left[at] = garbage[at % garbage.Length];
            }
            return left;
        }

        private void Sync() => (SyncedBytes, SyncedRecords) = (Content.Count, Written.Count);
    }

    [Fact]
    public void Every_synced_record_survives_and_nothing_is_invented() => Gen.Select(
        Appends.Array[0, 30], Gen.Bool, Gen.Int[0, 1 << 20], Gen.Int[0, 2].Array[1, 40], Gen.Byte.Array[1, 600]).Sample(
        (appends, lastIsSynced, length, fates, garbage) =>
        {
            var disk = new Disk(appends, lastIsSynced);
            var left = disk.Cut(length, fates, garbage);
            var read = JournalCodec.Decode(left);
            Assert.Null(read.Damage);
            Assert.InRange(read.Records.Length, disk.SyncedRecords, disk.Written.Count);
            Assert.Equal(disk.Written.Take(read.Records.Length), read.Records);
            Assert.InRange(read.Whole, disk.SyncedBytes, left.Length);
        }, iter: Cases.Of(3_000));

    [Fact]
    public void What_was_synced_and_vouched_for_is_never_lost_without_a_word() => Gen.Select(
        Appends.Array[1, 20], Gen.Int[0, 1 << 20], Gen.Int[1, 255]).Sample(
        (appends, at, change) =>
        {
            // A last durable record vouches for everything before it.
            var disk = new Disk([.. appends, new Append(appends[0].Record, true, false)], lastIsSynced: true);
            var bytes = disk.Content.ToArray();
            var last = bytes.Length - JournalCodec.Encode(appends[0].Record).Length;
            at %= last - 1; // Without the newline before it the last line is part of the bad one, and vouches for nothing.
            bytes[at] ^= (byte)change;
            var read = JournalCodec.Decode(bytes);
            // A checksum digit in capitals is the same number.
            if (!read.Records.SequenceEqual(disk.Written))
                Assert.NotNull(read.Damage);
            Assert.Equal(disk.Written.Take(read.Records.Length), read.Records);
        }, iter: Cases.Of(3_000));

    [Fact]
    public void A_later_unsynced_line_that_is_whole_does_not_make_a_torn_one_damage()
    {
        var one = new JournalRecord(RecordKind.LoadIntent, PatchName.Parse("lp_one"), "b", default);
        var first = JournalCodec.Encode(one);
        var second = JournalCodec.Encode(one with { Kind = RecordKind.Loaded });
        var third = JournalCodec.EncodeBehind(second.Length, one with { Kind = RecordKind.Activated });
        byte[] start = [.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine), .. first];
        var torn = JournalCodec.Decode([.. start, .. new byte[second.Length - 1], (byte)'\n', .. third]);
        Assert.Equal((null, start.Length), (torn.Damage, torn.Whole));
        Assert.Equal([one], torn.Records);

        // Had the third been written after a sync, the second could not have been torn by the cut.
        var damaged = JournalCodec.Decode([.. start, .. new byte[second.Length - 1], (byte)'\n', .. JournalCodec.Encode(one with { Kind = RecordKind.Activated })]);
        Assert.NotNull(damaged.Damage);
    }

    [Theory]
    [InlineData("zeros", 5000)]
    [InlineData("lines", 40)]
    [InlineData("noise", 3000)]
    public void A_tail_of_zeros_or_garbage_is_cut_off(string kind, int size)
    {
        var record = new JournalRecord(RecordKind.OperatorReverted, PatchName.Parse("lp_one"), "b", default);
        byte[] whole = [.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine), .. JournalCodec.Encode(record)];
        var tail = new byte[size];
        if (kind == "noise")
            new Random(size).NextBytes(tail);
        else if (kind == "lines")
            tail.AsSpan().Fill((byte)'\n');
        var read = JournalCodec.Decode([.. whole, .. tail]);
        Assert.Equal((null, whole.Length), (read.Damage, read.Whole));
        Assert.Equal([record], read.Records);
    }

    [Fact]
    public void A_whole_record_of_a_later_version_is_damage_even_as_the_last()
    {
        var json = Encoding.ASCII.GetBytes("""{"kind":"Teleported","name":"lp_one","boot":"b","mono_us":1,"wall_us":1}""");
        byte[] bytes = [.. Encoding.ASCII.GetBytes($"{JournalCodec.VersionLine}{JournalCodec.Crc32C(json):x8} "), .. json, (byte)'\n'];
        Assert.NotNull(JournalCodec.Decode(bytes).Damage);
    }
}
