// Text of files in messages: one line, bounded, nothing forged.
using CsCheck;
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Tests.Config;

public sealed class ConfigTextTests
{
    [Theory]
    [InlineData("plain", "\"plain\"")]
    [InlineData("a\nb", "\"a\\u000ab\"")]
    [InlineData("\u001b[31m", "\"\\u001b[31m\"")]
    [InlineData("say \"hi\"", "\"say \\\"hi\\\"\"")]
    [InlineData("\u202eevil", "\"\\u202eevil\"")]
    public void Quotes(string text, string expected) => Assert.Equal(expected, ConfigText.Quote(text));

    [Fact]
    public void Whatever_is_quoted_is_one_bounded_line() =>
        Gen.String[Gen.Char, 0, 300].Sample(text =>
        {
            var quoted = ConfigText.Quote(text);
            Assert.True(ConfigText.IsOneLine(quoted));
            Assert.InRange(quoted.Length, 2, 64 * 6 + 5);
        });

    [Fact]
    public void Error_lines_have_file_line_key_and_message()
    {
        Assert.Equal("/etc/x.yaml:3: mode: bad", new ConfigError("/etc/x.yaml", 3, "mode", "bad").ToString());
        Assert.Equal("/etc/x.yaml:3: -: bad", new ConfigError("/etc/x.yaml", 3, "", "bad").ToString());
    }

    [Fact]
    public void The_list_of_errors_is_bounded()
    {
        var errors = new ErrorList();
        for (var i = 0; i < 1000; i++)
            errors.Add(new ConfigPlace("f", i), "k", "m");
        var all = errors.ToImmutable();
        Assert.Equal(ErrorList.MaxErrors + 1, all.Length);
        Assert.Contains("more than 100 errors", all[^1].Message, StringComparison.Ordinal);
    }
}
