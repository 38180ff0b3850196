// The journal's bytes: whatever is cut off or flipped, what is read is a prefix of what was written, or damage that is told.
using System.Collections.Immutable;
using System.Text;
using CsCheck;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class JournalCodecTests
{
    private static readonly PatchName Name = PatchName.Parse("lp_one");

    private static readonly Gen<string> Text = Gen.String[Gen.Char['\u0001', '\uD7FF'], 0, 40];

    private static readonly Gen<JournalRecord> Records =
        from kind in Gen.Enum<RecordKind>()
        from reason in Gen.Enum<Reason>()
        from errno in Gen.Int[0, 130]
        from micros in Gen.Long[0, 1L << 50]
        from detail in Text
        from path in Text
        from some in Gen.Int[0, 63]
        select new JournalRecord(
            kind, Name, "6a7c1dc5-45d2-4b19-8e6b-0a6a3c3a4a55",
            new Instant(TimeSpan.FromMicroseconds(micros), DateTimeOffset.UnixEpoch.AddTicks(micros * 10)),
            (some & 1) == 0 ? null : Sha256.TryParse(new string('a', 64)),
            (some & 2) == 0 ? null : BuildId.TryParse("0123abcd"),
            (some & 4) == 0 || path.Length == 0 ? null : path,
            (some & 8) == 0 ? null : reason,
            (Errno)errno,
            (some & 16) == 0 || detail.Length == 0 ? null : detail,
            (some & 32) == 0 ? null : PatchName.Parse("lp_two"),
            (some & 32) == 0 ? null : Sha256.TryParse(new string('b', 64)))
        {
            FileSystem = (some & 10) != 10 ? null : "8:1 / /",
            WaitsForBoot = (some & 12) == 12,
            OverrideGates = (some & 3) == 3,
            MustConfirm = (some & 5) == 5,
            Baseline = (some & 6) != 6 ? null : new HealthBaseline(
                (some & 1) == 0 ? null : (ulong)micros, (some & 8) == 0 ? null : ulong.MaxValue, (ulong)errno,
                (some & 16) == 0 ? null : [detail, "ssh.service"], (some & 32) == 0 ? null : (some & 1) == 0, (some & 9) == 9 ? 7 : null),
        };

    private static byte[] Journal(IEnumerable<JournalRecord> records) =>
        [.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine), .. records.SelectMany(JournalCodec.Encode)];

    private static readonly ImmutableArray<JournalRecord> Sample =
    [
        .. Enumerable.Range(0, 4).Select(i => new JournalRecord(
            (RecordKind)i, Name, "boot", new Instant(TimeSpan.FromSeconds(i), DateTimeOffset.UnixEpoch.AddSeconds(i)),
            Sha256.TryParse(new string('c', 64)), BuildId.TryParse("00ff"), "/p/lp_one.ko", Reason.KernelRefused, Errno.EINVAL, "EINVAL: \"quoted\" \u00e9")),
    ];

    [Fact]
    public void What_is_written_is_read() => Records.Array[0, 20].Sample(records =>
    {
        var bytes = Journal(records);
        var content = JournalCodec.Decode(bytes);
        Assert.Null(content.Damage);
        Assert.Equal(bytes.Length, content.Whole);
        Assert.Equal(records, content.Records);
    }, iter: Cases.Of(500));

    [Fact]
    public void Every_truncation_gives_a_prefix_and_no_damage()
    {
        var bytes = Journal(Sample);
        for (var length = 0; length <= bytes.Length; length++)
        {
            var content = JournalCodec.Decode(bytes.AsSpan(0, length));
            Assert.Null(content.Damage);
            Assert.Equal(Sample.Take(content.Records.Length), content.Records);
            Assert.InRange(content.Whole, 0, length);
            Assert.Equal(content.Records, JournalCodec.Decode(bytes.AsSpan(0, content.Whole)).Records);
            // Every record whose newline is there is read.
            var whole = bytes.AsSpan(0, length).Count((byte)'\n') - 1;
            Assert.Equal(Math.Max(0, whole), content.Records.Length);
        }
    }

    [Fact]
    public void Every_flipped_bit_is_damage_or_a_shorter_prefix_and_never_a_wrong_record()
    {
        var bytes = Journal(Sample);
        // The newline before the last record belongs to the tail that a crash may have torn: without it the last two lines are one bad line.
        var tail = bytes.Length - JournalCodec.Encode(Sample[^1]).Length - 1;
        for (var at = 0; at < bytes.Length; at++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                bytes[at] ^= (byte)(1 << bit);
                var content = JournalCodec.Decode(bytes);
                bytes[at] ^= (byte)(1 << bit);
                // The checksum is written in hexadecimal, and a capital digit is the same number.
                var whole = content.Records.SequenceEqual(Sample);
                Assert.True(whole ? char.IsAsciiHexDigit((char)bytes[at]) && bit == 5 : content.Records.SequenceEqual(Sample.Take(content.Records.Length)), $"byte {at} bit {bit}");
                Assert.True(whole || content.Damage is not null || at >= tail, $"byte {at} bit {bit}: lost without a word");
            }
        }
    }

    [Fact]
    public void Any_bytes_at_all_decode_without_an_exception() => Gen.Byte.Array[0, 300].Sample(noise =>
    {
        Assert.InRange(JournalCodec.Decode(noise).Whole, 0, noise.Length);
        byte[] behind = [.. Journal(Sample), .. noise];
        Assert.Equal(Sample, JournalCodec.Decode(behind).Records.Take(Sample.Length));
    }, iter: Cases.Of(2_000));

    [Theory]
    [InlineData("livepatchd journal 2\n")]
    [InlineData("something else entirely\n")]
    [InlineData("\n")]
    public void Another_format_is_damage(string start) =>
        Assert.NotNull(JournalCodec.Decode(Encoding.UTF8.GetBytes(start)).Damage);

    [Fact]
    public void A_record_of_a_kind_that_this_version_does_not_know_is_damage_and_not_skipped()
    {
        var future = Encoding.UTF8.GetBytes("""{"kind":"Teleported","name":"lp_one","boot":"b","mono_us":1,"wall_us":1}""");
        var framed = Encoding.ASCII.GetBytes($"{Crc(future):x8} ").Concat(future).Append((byte)'\n');
        byte[] bytes = [.. Journal(Sample[..1]), .. framed, .. JournalCodec.Encode(Sample[1])];
        var content = JournalCodec.Decode(bytes);
        Assert.NotNull(content.Damage);
        Assert.Equal(Sample[..1], content.Records);
    }

    [Fact]
    public void Keys_that_this_version_does_not_know_are_read_over()
    {
        var later = Encoding.UTF8.GetBytes("""{"kind":"Gone","name":"lp_one","boot":"b","mono_us":1,"wall_us":1,"colour":{"deep":[1,2]}}""");
        byte[] bytes = [.. Journal([]), .. Encoding.ASCII.GetBytes($"{Crc(later):x8} "), .. later, (byte)'\n'];
        Assert.Equal(RecordKind.Gone, Assert.Single(JournalCodec.Decode(bytes).Records).Kind);
    }

    [Theory]
    [InlineData("""{"kind":"Gone","name":"lp_one","boot":"b","wall_us":1}""")]
    [InlineData("""{"kind":"Gone","name":"lp_one","boot":"b","mono_us":1}""")]
    [InlineData("""{"kind":"Gone","name":"lp_one","boot":"b","mono_us":"1","wall_us":1}""")]
    [InlineData("""{"kind":"Gone","name":"lp_one","boot":"b","mono_us":1,"wall_us":9223372036854775807}""")]
    [InlineData("""{"kind":"Gone","name":"lp_one","boot":"","mono_us":1,"wall_us":1}""")]
    [InlineData("""{"kind":"Gone","name":"../x","boot":"b","mono_us":1,"wall_us":1}""")]
    [InlineData("""{"kind":"99","name":"lp_one","boot":"b","mono_us":1,"wall_us":1}""")]
    [InlineData("[]")]
    [InlineData("")]
    public void A_record_that_lacks_what_every_record_has_is_damage(string json)
    {
        var text = Encoding.UTF8.GetBytes(json);
        byte[] bytes = [.. Journal(Sample[..1]), .. Encoding.ASCII.GetBytes($"{Crc(text):x8} "), .. text, (byte)'\n', .. JournalCodec.Encode(Sample[1])];
        var content = JournalCodec.Decode(bytes);
        Assert.NotNull(content.Damage);
        Assert.Equal(Sample[..1], content.Records);
    }

    private static uint Crc(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
        }
        return ~crc;
    }
}
