// The hold on disk: read back as it was, placed on another boot's clock, and no damaged byte believed.
using CsCheck;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class HoldCodecTests
{
    private const string Boot = "11111111-1111-4111-8111-111111111111";

    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly StandingHold Hold = new(
        "a disk is being changed: \"sda\"\u00e9", 1000, At(100, Noon), At(100 + 7200, Noon.AddHours(2)));

    [Fact]
    public void In_its_own_boot_it_is_read_back_whatever_the_wall_clock_says()
    {
        var bytes = HoldCodec.Encode(Hold, Boot);
        foreach (var years in (int[])[-10, 0, 10])
        {
            var now = At(160, Noon.AddYears(years));
            var read = HoldCodec.Decode(bytes, Boot, now);
            Assert.Equal(Hold, read);
            Assert.False(read!.IsOver(now));
            Assert.False(read.IsOver(At(7299, now.Wall)));
            Assert.True(read.IsOver(At(7300, now.Wall)));
        }
    }

    [Fact]
    public void In_another_boot_its_end_is_where_the_wall_clock_says()
    {
        var now = At(5, Noon.AddMinutes(30));
        var read = HoldCodec.Decode(HoldCodec.Encode(Hold, Boot), "another", now)!;
        Assert.Equal(TimeSpan.FromSeconds(5 + (90 * 60)), read.Until!.Value.Monotonic);
        Assert.Equal(Hold.Until!.Value.Wall, read.Until.Value.Wall);
        Assert.Equal(Hold.Since.Wall, read.Since.Wall);
        Assert.False(read.IsOver(now));
        Assert.True(HoldCodec.Decode(HoldCodec.Encode(Hold, Boot), "another", At(5, Noon.AddHours(3)))!.IsOver(At(5, Noon.AddHours(3))));
    }

    [Fact]
    public void Without_an_end_it_is_never_over()
    {
        var read = HoldCodec.Decode(HoldCodec.Encode(Hold with { Until = null }, Boot), Boot, At(200, Noon))!;
        Assert.Null(read.Until);
        Assert.False(read.IsOver(At(1e9, DateTimeOffset.MaxValue)));
    }

    [Fact]
    public void No_damage_is_believed()
    {
        var bytes = HoldCodec.Encode(Hold, Boot);
        var now = At(160, Noon);
        for (var length = 0; length < bytes.Length; length++)
            Assert.Null(HoldCodec.Decode(bytes.AsSpan(0, length), Boot, now));
        Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Byte[1, 255]).Sample((at, bits) =>
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= bits;
            // The digits of the sum may be written in capitals, which is no damage.
            Assert.True(HoldCodec.Decode(damaged, Boot, now) is null || at < 8 && bits == 0x20);
        });
        Gen.Byte.Array[0, 300].Sample(any => Assert.Null(HoldCodec.Decode(any, Boot, now)));
    }

    private static Instant At(double seconds, DateTimeOffset wall) => new(TimeSpan.FromSeconds(seconds), wall);
}
