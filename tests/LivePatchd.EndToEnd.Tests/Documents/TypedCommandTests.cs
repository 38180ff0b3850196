// Every livepatchctl command that a document shows, given to the command line's own parser.
using System.Text.RegularExpressions;
using LivePatchd.Core.Tests;
using LivePatchd.Ctl.CommandLine;
using LivePatchd.Ctl.Output;

namespace LivePatchd.EndToEnd.Tests;

public sealed partial class TypedCommandTests
{
    private static string[] Documents =>
        [.. Directory.GetFiles(RepositoryFile.PathOf("docs"), "*.md", SearchOption.AllDirectories), RepositoryFile.PathOf("README.md"), RepositoryFile.PathOf("SECURITY.md")];

    [Fact]
    public void What_is_shown_as_typed_is_a_command()
    {
        var typed = Documents.SelectMany(static file => File.ReadLines(file).Select(line => (file, line)))
            .Select(static l => (l.file, Match: TypedLine().Match(l.line))).Where(static l => l.Match.Success)
            .Select(static l => (l.file, Words: Split(l.Match.Groups[1].Value))).ToList();
        Assert.InRange(typed.Count, 20, 500);
        using var terminal = Silent();
        Assert.All(typed, t => Assert.Empty(CommandTree.Root(terminal).Parse(t.Words).Errors.Select(e => $"{t.file}: {string.Join(' ', t.Words)}: {e.Message}")));
    }

    [Fact]
    public void What_is_named_in_a_sentence_exists()
    {
        var named = Documents.SelectMany(static file => Named().Matches(File.ReadAllText(file)).Select(m => (file, Words: Split(m.Groups[1].Value)))).ToList();
        Assert.InRange(named.Count, 50, 1000);
        using var terminal = Silent();
        Assert.All(named, n =>
        {
            // A sentence may leave out what the command is about.
            var parsed = CommandTree.Root(terminal).Parse(n.Words);
            Assert.False(parsed.CommandResult.Command is System.CommandLine.RootCommand, $"{n.file}: {string.Join(' ', n.Words)}");
            Assert.Empty(parsed.UnmatchedTokens.Select(t => $"{n.file}: {string.Join(' ', n.Words)}: {t}"));
        });
    }

    private static Terminal Silent() => new(TextWriter.Null, TextWriter.Null, false, false, false, () => null);

    private static string[] Split(string text) => [.. Word().Matches(text.Split(" # ")[0]).Select(static m => m.Value.Trim('"', '\'', '[', ']'))];

    // A line of a terminal or of a script; what follows a pipe, a list or a redirection is the shell's.
    [GeneratedRegex(@"^\s*(?:[$#] )?(?:sudo )?livepatchctl (?!- )([^|&;>()\n]+)")]
    private static partial Regex TypedLine();

    [GeneratedRegex(@"(?:`|\*\*)(?:sudo )?livepatchctl ([a-z][^`*|\\\n]*)(?:`|\*\*)")]
    private static partial Regex Named();

    [GeneratedRegex(@"""[^""]*""|'[^']*'|\S+")]
    private static partial Regex Word();
}
