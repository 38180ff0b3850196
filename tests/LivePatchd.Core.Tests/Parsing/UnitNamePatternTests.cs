// Patterns of unit names: * and nothing else.
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Tests.Parsing;

public sealed class UnitNamePatternTests
{
    [Theory]
    [InlineData("user@1000.service", "user@*", true)]
    [InlineData("user@.service", "user@*", true)]
    [InlineData("a-user@1.service", "user@*", false)]
    [InlineData("session-3.scope", "*.scope", true)]
    [InlineData("x.scope.service", "*.scope", false)]
    [InlineData("web.service", "web.service", true)]
    [InlineData("web.services", "web.service", false)]
    [InlineData("anything.mount", "*", true)]
    [InlineData("abcabc", "a*bc", true)]
    [InlineData("abc", "abc*bc", false)]
    [InlineData("a-1-b-2-c", "a*b*c", true)]
    [InlineData("a-1-c-2-b", "a*b*c", false)]
    [InlineData("aXbYbZc", "a*b*b*c", true)]
    [InlineData("aXbZc", "a*b*b*c", false)]
    [InlineData("ab", "a**b", true)]
    [InlineData(@"dev-disk\x2duuid.mount", @"dev-disk\x2d*", true)]
    [InlineData("dev-diskx2duuid.mount", @"dev-disk\x2d*", false)]
    public void Fits_Pattern_IsThatOfTheWholeName(string unit, string pattern, bool fits) => Assert.Equal(fits, UnitName.Fits(unit, pattern));

    [Theory]
    [InlineData("user@*", true)]
    [InlineData("*", true)]
    [InlineData("", false)]
    [InlineData("a?b", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData(null, false)]
    public void IsPattern_Text_HasTheCharactersOfUnits(string? text, bool expected) => Assert.Equal(expected, UnitName.IsPattern(text));
}
