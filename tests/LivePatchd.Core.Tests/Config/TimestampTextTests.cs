// Moments of manifests: every one that is written with its offset is read back, and nothing without one is.
using System.Globalization;
using CsCheck;
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Tests.Config;

public sealed class TimestampTextTests
{
    [Theory]
    [InlineData("2026-01-31T12:00:00Z", "2026-01-31T12:00:00+00:00")]
    [InlineData("2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00+02:00")]
    [InlineData("2026-01-31T12:00:00-14:00", "2026-01-31T12:00:00-14:00")]
    [InlineData("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.5+00:00")]
    [InlineData("2024-02-29T23:59:59Z", "2024-02-29T23:59:59+00:00")]
    public void Reads_moments(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture), TimestampText.TryParse(text));

    [Theory]
    [InlineData("")]
    [InlineData("2026-01-31")]
    [InlineData("2026-01-31T12:00:00")]
    [InlineData("2026-01-31 12:00:00Z")]
    [InlineData("2026-02-29T12:00:00Z")]
    [InlineData("2026-01-31T24:00:00Z")]
    [InlineData("2026-01-31T12:00:60Z")]
    [InlineData("2026-01-31T12:00:00+15:00")]
    [InlineData("2026-01-31T12:00:00.12345678Z")]
    [InlineData("+2026-01-31T12:00:00Z")]
    [InlineData("0001-01-01T00:00:00+14:00")]
    public void Refuses(string text) => Assert.Null(TimestampText.TryParse(text));

    [Fact]
    public void What_is_written_is_read() => Gen.Select(Gen.Long[DateTime.UnixEpoch.Ticks, DateTime.MaxValue.Ticks - TimeSpan.TicksPerDay], Gen.Int[-14 * 60, 14 * 60]).Sample((ticks, minutes) =>
    {
        var moment = new DateTimeOffset(ticks, TimeSpan.FromMinutes(minutes));
        Assert.Equal(moment, TimestampText.TryParse(moment.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", CultureInfo.InvariantCulture)));
    });

    [Fact]
    public void Any_text_is_survived() => Gen.String[Gen.Char["0123456789-:T.Z+ x"], 0, 40].Sample(static text => _ = TimestampText.TryParse(text));
}
