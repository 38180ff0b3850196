// Durations as people write them: what is read, what is refused, and that writing and reading agree.
using CsCheck;
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Tests.Config;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("30s", 30_000)]
    [InlineData("5m", 300_000)]
    [InlineData("6h", 21_600_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1m500ms", 60_500)]
    [InlineData("0s", 0)]
    [InlineData("90s", 90_000)]
    public void Reads(string text, long milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), DurationText.TryParse(text));

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("30 s")]
    [InlineData("-30s")]
    [InlineData("1.5h")]
    [InlineData("30m1h")]
    [InlineData("1m1m")]
    [InlineData("30S")]
    [InlineData("30sec")]
    [InlineData("1w")]
    [InlineData("9999999999s")]
    [InlineData("26669618d")]
    [InlineData("10675199d999999999h")]
    [InlineData("\u0663s")]
    [InlineData("1s ")]
    public void Refuses(string text) => Assert.Null(DurationText.TryParse(text));

    [Fact]
    public void What_is_written_reads_back() =>
        Gen.Long[0, 86_400_000L * 400].Sample(ms =>
        {
            var span = TimeSpan.FromMilliseconds(ms);
            Assert.Equal(span, DurationText.TryParse(DurationText.Format(span)));
        });

    [Fact]
    public void Never_throws() => Gen.String[Gen.Char["0123456789dhms -.é"], 0, 24].Sample(text => { _ = DurationText.TryParse(text); });
}
