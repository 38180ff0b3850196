// The man pages of the programs against what the programs say of themselves, and every page as a reader gets it.
using System.CommandLine;
using System.Text.RegularExpressions;
using LivePatchd.Ctl;
using LivePatchd.Ctl.CommandLine;
using LivePatchd.Ctl.Output;

namespace LivePatchd.EndToEnd.Tests;

public sealed partial class ManPageTests
{
    private const int Columns = 80;

    private static RootCommand Tree => CommandTree.Root(new Terminal(TextWriter.Null, TextWriter.Null, false, false, false, () => null));

    [Fact]
    public void Livepatchctl_has_every_command_with_its_arguments_and_no_other()
    {
        var commands = Commands(Tree, "").Select(c => string.Join(' ', [c.Path, .. c.Command.Arguments.Where(a => !a.Hidden).Select(Written)]));
        Assert.Equal(commands.Order(StringComparer.Ordinal), new ManPage("livepatchctl.1").Subsections("COMMANDS").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Livepatchctl_has_the_options_that_the_help_of_each_command_shows_and_no_other()
    {
        var page = new ManPage("livepatchctl.1");
        var everywhere = page.Terms("OPTIONS").SelectMany(t => t.Bold).ToHashSet();
        Assert.Equal(OptionsOf(Help()).Order(), everywhere.Order());
        foreach (var (path, _) in Commands(Tree, ""))
        {
            var section = page.Subsections("COMMANDS").Single(s => s == path || s.StartsWith(path + " ", StringComparison.Ordinal) && Words(s) == Words(path));
            var own = OptionsOf(Help(path.Split(' '))).Except(everywhere);
            Assert.Equal($"{path}: {string.Join(' ', own.Order())}", $"{path}: {string.Join(' ', page.Terms("COMMANDS", section).SelectMany(t => t.Bold).Order())}");
        }
    }

    [Fact]
    public void An_option_that_takes_a_value_shows_it()
    {
        var page = new ManPage("livepatchctl.1");
        foreach (var (path, command) in Commands(Tree, ""))
        {
            var section = page.Subsections("COMMANDS").Single(s => s == path || s.StartsWith(path + " ", StringComparison.Ordinal) && Words(s) == Words(path));
            foreach (var option in command.Options.Where(o => !o.Hidden))
            {
                var term = page.Terms("COMMANDS", section).Single(t => t.Bold.Contains(option.Name));
                Assert.Equal(Names(option) + (option.Arity.MinimumNumberOfValues > 0 ? $" *{option.HelpName}*" : ""), term.Line);
            }
        }
    }

    [Fact]
    public void Livepatchctl_has_every_exit_code()
    {
        var codes = typeof(ExitCode).GetFields().Where(f => !f.Name.StartsWith("Check", StringComparison.Ordinal)).Select(f => $"{f.GetRawConstantValue()}");
        Assert.Equal(codes.Order(), new ManPage("livepatchctl.1").Terms("EXIT STATUS").SelectMany(t => t.Bold).Order());
    }

    [Fact]
    public void Livepatchd_has_the_options_of_its_help_and_no_other() =>
        Assert.Equal(
            OptionInText().Matches(CommandLine.Usage).Select(m => m.Value).Distinct().Append("-h").Order(),
            new ManPage("livepatchd.8").Terms("OPTIONS").SelectMany(t => t.Bold).Order());

    public static TheoryData<string> Pages => [.. ManPage.Names];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_is_rendered_without_a_warning_and_fits_the_terminal(string name)
    {
        Assert.SkipUnless(Tool.Exists("go-md2man") && Tool.Exists("man"), "go-md2man or man is not installed");
        var made = Directory.CreateTempSubdirectory("livepatchd-man-");
        try
        {
            var roff = Path.Combine(made.FullName, name);
            (await Tool.Run(["go-md2man", "-in", new ManPage(name).Source, "-out", roff])).Exits(0);
            var page = (await Tool.Run(["man", "--warnings", "-l", roff], ("MANWIDTH", $"{Columns}"), ("LC_ALL", "C.UTF-8"), ("MANPAGER", "cat"))).Exits(0);
            Assert.Equal("", page.Error);
            Assert.All(page.Output.Split('\n'), line => Assert.InRange(Overstrike().Replace(line, "").Length, 0, Columns));
            Assert.Contains("SEE ALSO", Overstrike().Replace(page.Output, ""), StringComparison.Ordinal);
        }
        finally
        {
            made.Delete(recursive: true);
        }
    }

    private static IEnumerable<(string Path, Command Command)> Commands(Command command, string path) =>
        from inner in command.Subcommands
        where !inner.Hidden
        let own = path.Length == 0 ? inner.Name : $"{path} {inner.Name}"
        from found in inner.Subcommands.Any(s => !s.Hidden) ? Commands(inner, own) : [(own, inner)]
        select found;

    private static string Written(Argument argument) => (argument.Arity.MinimumNumberOfValues, argument.Arity.MaximumNumberOfValues) switch
    {
        (0, _) => $"[{argument.Name}]",
        (_, > 1) => $"{argument.Name}...",
        _ => argument.Name,
    };

    private static string Names(Option option) => string.Join(", ", new[] { option.Name }.Concat(option.Aliases).Select(n => $"**{n}**"));

    // Of a heading: those in lower case are commands.
    private static int Words(string text) => text.Split(' ').Count(w => w.All(c => char.IsAsciiLetterLower(c) || c == '-'));

    private static string Help(params string[] verb)
    {
        using var output = new StringWriter();
        using var terminal = new Terminal(output, TextWriter.Null, false, false, false, () => null);
        Assert.Equal(0, CommandTree.Run([.. verb, "--help"], terminal));
        return output.ToString();
    }

    /// <summary>In the help an option stands at the beginning of its line, with its other names behind a comma.</summary>
    private static IEnumerable<string> OptionsOf(string help) =>
        OptionLine().Matches(help).SelectMany(m => m.Groups["names"].Value.Split(", ")).Select(n => n.Split(' ')[0]);

    [GeneratedRegex(@"^  (?<names>--?[a-z][a-z-]*(, --?[a-z][a-z-]*)*)", RegexOptions.Multiline)]
    private static partial Regex OptionLine();

    [GeneratedRegex("--[a-z][a-z-]*")]
    private static partial Regex OptionInText();

    [GeneratedRegex(".\b")]
    private static partial Regex Overstrike();
}
