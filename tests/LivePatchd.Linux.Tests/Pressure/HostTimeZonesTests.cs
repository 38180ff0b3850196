// The time zone database of the machine that runs the tests.
using LivePatchd.Linux.Pressure;

namespace LivePatchd.Linux.Tests.Pressure;

public sealed class HostTimeZonesTests
{
    [Theory]
    [InlineData("UTC", 0)]
    [InlineData("Europe/Berlin", 1)]
    [InlineData("Asia/Tokyo", 9)]
    public void Known_zones_have_their_offset(string id, int hours) =>
        Assert.Equal(TimeSpan.FromHours(hours), HostTimeZones.Find(id)?.GetUtcOffset(new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Unspecified)));

    [Fact]
    public void Unknown_zones_are_none() => Assert.Null(HostTimeZones.Find("Middle/Earth"));
}
