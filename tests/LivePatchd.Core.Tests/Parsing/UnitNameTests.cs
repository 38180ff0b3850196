// Names of services: what systemd would start, and nothing that could be a path or an option.
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Tests.Parsing;

public sealed class UnitNameTests
{
    [Theory]
    [InlineData("check-web.service", true)]
    [InlineData("check@one.service", true)]
    [InlineData("a\\x2db.service", true)]
    [InlineData("a.b:c_d.service", true)]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData(".service", false)]
    [InlineData("-x.service", false)]
    [InlineData(".hidden.service", false)]
    [InlineData("@x.service", false)]
    [InlineData("template@.service", false)]
    [InlineData("check.timer", false)]
    [InlineData("../x.service", false)]
    [InlineData("a b.service", false)]
    [InlineData("a/b.service", false)]
    [InlineData("\u00e4.service", false)]
    public void A_service_is_told_from_everything_else(string? text, bool expected) => Assert.Equal(expected, UnitName.IsService(text));

    [Fact]
    public void Its_length_has_systemds_limit()
    {
        var longest = new string('a', UnitName.MaxLength - ".service".Length) + ".service";
        Assert.True(UnitName.IsService(longest));
        Assert.False(UnitName.IsService("a" + longest));
    }
}
