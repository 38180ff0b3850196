// Moments on the bus: microseconds since 1970, 0 for never, and none that no calendar holds.
using LivePatchd.Control;

namespace LivePatchd.Tests.Control;

public sealed class WireTests
{
    [Fact]
    public void Usec_NeverOrBeforeTheEpoch_Zero()
    {
        Assert.Equal(0ul, Wire.Usec(null));
        Assert.Equal(0ul, Wire.Usec(DateTimeOffset.UnixEpoch));
        Assert.Equal(0ul, Wire.Usec(DateTimeOffset.MinValue));
    }

    [Fact]
    public void Moment_OfUsec_IsTheSameMoment()
    {
        var moment = new DateTimeOffset(2026, 11, 28, 15, 0, 0, 123, TimeSpan.Zero).AddMicroseconds(456);
        Assert.Equal(moment, Wire.Moment(Wire.Usec(moment)));
    }

    [Fact]
    public void Moment_BeyondTheCalendar_None()
    {
        Assert.NotNull(Wire.Moment(Wire.Usec(DateTimeOffset.MaxValue)));
        Assert.Null(Wire.Moment(Wire.Usec(DateTimeOffset.MaxValue) + 1));
        Assert.Null(Wire.Moment(ulong.MaxValue));
    }

    [Fact]
    public void Tristate_EachValue_ItsWord() => Assert.Equal(["yes", "no", "unknown"], new bool?[] { true, false, null }.Select(Wire.Tristate));
}
