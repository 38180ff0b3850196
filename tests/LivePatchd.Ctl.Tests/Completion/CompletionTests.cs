// Completion as its user meets it: each shell reads the script and is asked what it offers at a place of the command line.
using System.CommandLine;
using System.Net.Sockets;
using LivePatchd.Ctl.CommandLine;
using LivePatchd.Ctl.Completion;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Tests;

public sealed class CompletionTests : CtlTest
{
    // A place of the command line, and all that is offered there.
    private static readonly (string Line, string Offered)[] Places =
    [
        ("livepatchctl st", "stage status"),
        ("livepatchctl show ", "lp_a lp_b"),
        ("livepatchctl show lp_b", "lp_b"),
        ("livepatchctl apply ", "fix.ko fix.ko.xz lp_a lp_b more.ko.zst my fix.ko old"),
        ("livepatchctl stage f", "fix.ko fix.ko.xz"),
        ("livepatchctl apply --ov", "--override-gates"),
        ("livepatchctl apply --no-wait lp_", "lp_a lp_b"),
        ("livepatchctl apply --timeout 5m lp_", "lp_a lp_b"),
        ("livepatchctl apply --timeout=5m lp_", "lp_a lp_b"),
        ("livepatchctl apply --timeout ", ""),
        ("livepatchctl apply lp_a lp_", ""),
        ("livepatchctl release ", "lp_a lp_b"),
        ("livepatchctl release lp_a lp_", "lp_a lp_b"),
        ("livepatchctl release --al", "--all"),
        ("livepatchctl hold --f", "--for"),
        ("livepatchctl reload ", ""),
        ("livepatchctl completion ", "bash fish zsh"),
        ("livepatchctl inhibit --why x -- livepatchc", "livepatchctl"),
        ("livepatchctl inhibit --why x -- cat note", "notes.txt"),
        ("livepatchctl patch-", ""),
    ];

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public void A_shell_offers_what_can_follow(string shell)
    {
        Assert.SkipUnless(Shells.Has(shell), $"{shell} is not installed");
        using var shells = new Shells(Bus.Address, "lp_a", "lp_b");
        Directory.CreateDirectory(Path.Combine(shells.Here, "old"));
        foreach (var file in (string[])["fix.ko", "fix.ko.xz", "more.ko.zst", "my fix.ko", "notes.txt"])
            File.WriteAllText(Path.Combine(shells.Here, file), "");
        foreach (var (line, offered) in Places)
            Assert.Equal($"{line}: {offered}", $"{line}: {Offered(shells, shell, line)}");
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public void The_names_are_those_that_the_daemon_knows(string shell)
    {
        Assert.SkipUnless(Shells.Has(shell), $"{shell} is not installed");
        Serve(new FakePatch { Name = "lp_a" }, new FakePatch { Name = "lp_b", State = "foreign" });
        using var shells = new Shells(Bus.Address);
        // A busy machine may take longer to name the patches than a person is made to wait for them.
        var seen = "";
        for (var tries = 10; seen.Length == 0 && tries > 0; tries--)
            seen = Offered(shells, shell, "livepatchctl show ");
        Assert.Equal("lp_a lp_b", seen);
    }

    [Theory]
    [InlineData("bash", "-n")]
    [InlineData("zsh", "-n")]
    [InlineData("fish", "--no-execute")]
    public void The_shell_can_read_its_script(string shell, string check)
    {
        Assert.SkipUnless(Shells.Has(shell), $"{shell} is not installed");
        using var shells = new Shells(Bus.Address);
        Assert.Equal("", shells.Run(shell, check, shells.ScriptOf(shell)).Succeeded().Error);
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public void Without_a_daemon_commands_and_files_are_offered_and_nothing_is_said(string shell)
    {
        Assert.SkipUnless(Shells.Has(shell), $"{shell} is not installed");
        using var shells = new Shells("unix:path=/nonexistent/bus");
        File.WriteAllText(Path.Combine(shells.Here, "fix.ko"), "");
        Assert.Equal(["fix.ko"], shells.Offer(shell, "livepatchctl apply "));
        Assert.Equal(["reload"], shells.Offer(shell, "livepatchctl rel").Except(["release"]));
    }

    [Fact]
    public void Every_verb_and_option_of_the_tree_is_in_every_script()
    {
        var root = CommandTree.Root(new Terminal(TextWriter.Null, TextWriter.Null, false, false, false, () => null));
        var tree = CompletionTree.Of(root);
        Assert.Equal(Visible(root).Order(), tree.All.Select(static c => c.Name).Order());
        foreach (var shell in CompletionScript.Shells)
        {
            var script = Run("completion", shell).Succeeded().Output;
            foreach (var command in tree.All.Skip(1))
            {
                Assert.Contains(command.Name, script, StringComparison.Ordinal);
                foreach (var option in command.Offered.SelectMany(static o => o.Names))
                    Assert.Contains(shell == "fish" ? option.TrimStart('-') : option, script, StringComparison.Ordinal);
            }
            Assert.DoesNotContain("\r", script, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_verb_within_a_verb_and_choices_of_options_are_offered_too()
    {
        var format = new Option<string>("--format");
        format.CompletionSources.Add("json", "text");
        var root = new RootCommand { new Command("config") { new Command("cat") { format }, new Command("check") } };
        root.Options.Clear();
        using var shells = new Shells(Bus.Address);
        foreach (var shell in CompletionScript.Shells.Where(Shells.Has))
        {
            shells.Replace(shell, CompletionScript.Of(shell, CompletionTree.Of(root)));
            Assert.Equal(["cat", "check"], shells.Offer(shell, "livepatchctl config c"));
            Assert.Equal(["json", "text"], shells.Offer(shell, "livepatchctl config cat --format "));
            Assert.Equal(["--format"], shells.Offer(shell, "livepatchctl config cat --f"));
        }
    }

    [Fact]
    public void Names_are_printed_and_their_lack_is_no_error()
    {
        Assert.Equal("", Run("patch-names").Succeeded().Output);
        Serve(new FakePatch { Name = "lp_a" }, new FakePatch { Name = "lp_b" });
        string[] names = [];
        for (var tries = 10; names.Length == 0 && tries > 0; tries--)
            names = Run("patch-names").Succeeded().Lines;
        Assert.Equal(["lp_a", "lp_b"], names);
        var nobody = Ctl.Run("unix:path=/nonexistent/bus", "patch-names").Succeeded();
        Assert.Equal("", nobody.Output + nobody.Error);
    }

    [Fact]
    public async Task A_bus_that_accepts_and_says_nothing_is_not_waited_for()
    {
        var directory = Directory.CreateTempSubdirectory("livepatchctl-mute-");
        using var mute = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var path = Path.Combine(directory.FullName, "bus");
        mute.Bind(new UnixDomainSocketEndPoint(path));
        mute.Listen();
        using var running = Ctl.Start($"unix:path={path}", "patch-names");
        // The library itself would wait for longer than this.
        var result = (await running.End().WaitAsync(Ctl.Limit, TestContext.Current.CancellationToken)).Succeeded();
        Assert.Equal("", result.Output + result.Error);
        directory.Delete(recursive: true);
    }

    [Fact]
    public void An_unknown_shell_is_an_error_of_one_line() =>
        Run("completion", "tcsh").Failed(2, "'tcsh' is not one of bash, zsh, fish", "livepatchctl completion --help");

    private static string Offered(Shells shells, string shell, string line)
    {
        var seen = shells.Offer(shell, line).Select(static w => w.TrimEnd('/'));
        // Where nothing else is to be had, zsh goes on to the options.
        return string.Join(' ', shell == "zsh" && !line.Contains(" -", StringComparison.Ordinal) ? seen.Where(static w => !w.StartsWith('-')) : seen);
    }

    private static IEnumerable<string> Visible(Command command) =>
        command.Subcommands.Where(static c => !c.Hidden).SelectMany(Visible).Prepend(command is RootCommand ? "" : command.Name);
}
