// The key that a person meant: edit distance, and what is said when nothing is near.
using CsCheck;
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Tests.Config;

public sealed class KeySuggestionTests
{
    private static readonly Gen<string> Word = Gen.String[Gen.Char["abc-"], 0, 8];

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("mode", "mode", 0)]
    [InlineData("mdoe", "mode", 1)]
    [InlineData("mod", "mode", 1)]
    [InlineData("nodes", "mode", 2)]
    [InlineData("gates", "trust", 5)]
    public void Distance_counts_edits(string a, string b, int distance) => Assert.Equal(distance, KeySuggestion.Distance(a, b));

    [Fact]
    public void Distance_is_symmetric_and_zero_only_for_equals() =>
        Gen.Select(Word, Word).Sample((a, b) =>
        {
            Assert.Equal(KeySuggestion.Distance(a, b), KeySuggestion.Distance(b, a));
            Assert.Equal(a == b, KeySuggestion.Distance(a, b) == 0);
        });

    [Theory]
    [InlineData("report_after", "transition", "did you mean transition.report-after?")]
    [InlineData("Report-After", "transition", "did you mean transition.report-after?")]
    [InlineData("reprot-after", "transition", "did you mean transition.report-after?")]
    [InlineData("unix-socket", "transition", "did you mean metrics.unix-socket?")]
    public void Names_the_key_that_was_meant(string unknown, string section, string expected) =>
        Assert.Equal(expected, KeySuggestion.For(unknown, section, (Schema.Map)ConfigPath.Key(ConfigSchema.Root, section).Value, ConfigSchema.Root));

    [Fact]
    public void Lists_the_keys_when_nothing_is_near() =>
        Assert.Equal("known keys here: cpu, nice", KeySuggestion.For("banana", "placement", (Schema.Map)ConfigPath.Key(ConfigSchema.Root, "placement").Value, ConfigSchema.Root));

    [Fact]
    public void A_huge_key_is_compared_with_nothing() => Assert.Null(KeySuggestion.Nearest(new string('a', 1_000_000), ["mode"]));
}
