// What people see: the exact text of the reading verbs, within 80 columns and without a stray escape.
using System.Text.RegularExpressions;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Tests;

public sealed class OutputTests : CtlTest
{
    private static readonly DateTimeOffset Winter = new(2026, 1, 1, 12, 0, 1, TimeSpan.Zero);

    [Fact]
    public void An_empty_list_says_so()
    {
        Serve();
        Assert.Equal("no patches\n", Run("list").Succeeded().Output);
    }

    [Fact]
    public void List_is_a_table_by_name()
    {
        var since = TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(400.5);
        Serve(
            new FakePatch { Name = "lp_b", State = "held", Reason = "ftrace-disabled", StateSince = since },
            new FakePatch { Name = "lp_a", State = "active", Sha256 = Digest, StateSince = since });
        Assert.Equal(
            """
            PATCH  STATE                   SINCE  SHA256
            lp_a   active                  400d   0123456789ab
            lp_b   held (ftrace-disabled)  400d   -

            """,
            Run("list").Succeeded().Output);
    }

    [Fact]
    public void The_longest_names_and_reasons_fit_80_columns()
    {
        Assert.Equal(55, LongName.Length);
        var since = TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(400.5);
        Serve(
            new FakePatch { Name = LongName, State = "transitioning", Reason = "transition-in-progress", Sha256 = Digest, StateSince = since },
            new FakePatch { Name = "lp_a", State = "quarantined", Reason = "function-not-traceable", Sha256 = Digest, StateSince = since });
        var list = Run("list").Succeeded();
        Assert.All(list.Lines, static line => Assert.InRange(line.Length, 1, 80));
        Assert.Contains(LongName, list.Output, StringComparison.Ordinal);
        Assert.Contains("transitioning (trans...", list.Output, StringComparison.Ordinal);
        foreach (var verb in (string[][])[["status"], ["plan"], ["show", LongName], ["--help"], ["apply", "--help"]])
            Assert.All(Run(verb).Succeeded().Lines, line => Assert.True(line.Length <= 80 || line.Contains(Digest, StringComparison.Ordinal), line));
    }

    [Fact]
    public void A_table_drops_columns_before_it_cuts_cells()
    {
        var table = new Table(new Column("NAME"), new Column("STATE", MinWidth: 6), new Column("LAST", DropOrder: 1));
        table.Add(new Cell("abcdef"), new Cell("some state"), new Cell("12 minutes"));
        Assert.Equal("abcdef  some state  12 minutes", table.Lines(30, hasColour: false).Last());
        Assert.Equal("abcdef  some state", table.Lines(29, hasColour: false).Last());
        Assert.Equal("abcdef  som...", table.Lines(14, hasColour: false).Last());
        Assert.Equal("NAME    \e[1m", table.Lines(14, hasColour: true).First().Replace("\e[1mNAME\e[0m", "NAME", StringComparison.Ordinal)[..12]);
    }

    [Fact]
    public void Show_tells_every_fact_with_sentence_and_next_step()
    {
        var patch = JsonTests.Full();
        patch.State = "held";
        patch.Reason = "module-in-use";
        patch.StateSince = patch.LoadedSince = patch.RetryAt = Winter;
        Serve(patch);
        var text = Run("show", "lp_full").Succeeded().Output;
        // How long ago depends on the day the test runs.
        text = Regex.Replace(text, @" \(\d+d( \d+h)? ago\)", " (long ago)");
        Assert.Equal(
            $"""
            lp_full
                   State: held (module-in-use)
                   Since: 2026-01-01 13:00:01 +01:00 (long ago)
                     Why: The patch is out of action, but something still holds its module.
                  Detail: tab?and ?bell
                    Next: Look at /sys/module/lp_full/refcnt and holders; a forced
                          transition pins it until reboot.
              Last error: EBUSY
                Attempts: 3 failed
                   Retry: 2026-01-01 13:00:01 +01:00 (long ago)
                  Loaded: 2026-01-01 13:00:01 +01:00 (long ago)
                  Origin: daemon
                 Version: 2
                  Kernel: 6.12.0-13-amd64
                    File: /var/lib/livepatchd/patches/6.12.0-13-amd64/lp_full.ko
                  SHA256: {Digest}
                Build ID: 00112233445566778899aabbccddeeff00112233
              Cumulative: yes
             Stack order: 2
                    CVEs: CVE-2026-1, CVE-2026-2
                 Objects: vmlinux (patched)
                          nf_tables (not loaded)
                          xfs (unknown)
               Functions: vmlinux:cmdline_proc_show

            """,
            text);
    }

    [Fact]
    public void Show_lists_at_most_20_functions()
    {
        Serve(new FakePatch { Name = "lp_x", Functions = [.. Enumerable.Range(0, 25).Select(static i => ("vmlinux", $"f{i}"))] });
        var lines = Run("show", "lp_x").Succeeded().Lines;
        Assert.Equal(20, lines.Count(static l => l.Contains("vmlinux:f", StringComparison.Ordinal)));
        Assert.Equal("... and 5 more; --json shows all", lines[^1].Trim());
    }

    [Fact]
    public void Status_at_rest()
    {
        Serve(new FakePatch { Name = "lp_a" }, new FakePatch { Name = "lp_b" }, new FakePatch { Name = "lp_c", State = "foreign" });
        Assert.Equal(
            """
            livepatchd 0.1.0, kernel 6.12.0-13-amd64
                   State: running, mode apply
              Transition: none
                 Patches: 2 active, 1 foreign
                  Config: generation 3
                 Tainted: no

            """,
            Run("status").Succeeded().Output);
    }

    [Fact]
    public void Status_with_something_to_say()
    {
        var now = TimeProvider.System.GetUtcNow();
        var daemon = Serve(new FakePatch { Name = "lp_a", State = "stalled" });
        (daemon.State, daemon.Reason, daemon.Mode) = ("observing", "disabled", "observe");
        (daemon.TransitionPatch, daemon.TransitionSince) = ("lp_a", now - TimeSpan.FromHours(3));
        daemon.Holds = [("lp_b", "transition-in-progress", null), ("lp_c", "out-of-memory", now + TimeSpan.FromHours(5.5))];
        daemon.ConfigErrors = ["/etc/livepatchd/livepatchd.yaml:3: mode: must be apply or observe"];
        daemon.Tainted = (1 << 12) | (1 << 15) | (1 << 13);
        var text = Regex.Replace(Run("status").Succeeded().Output, @"3h( \d+m)?|5h \d+m", "TIME");
        Assert.Equal(
            """
            livepatchd 0.1.0, kernel 6.12.0-13-amd64
                   State: observing (disabled), mode observe
                     Why: A kill switch is set: /etc/livepatchd/disabled or the kernel
                          command line.
                    Next: Remove the switch and restart the daemon.
              Transition: lp_a, TIME
                 Patches: 1 stalled
                 Waiting: lp_b (transition-in-progress)
                          lp_c (out-of-memory), retry in TIME
                  Config: generation 3, a newer one was refused
                 Refused: /etc/livepatchd/livepatchd.yaml:3: mode: must be apply or observe
                 Tainted: 45056 (OEK)

            """,
            text);
    }

    [Fact]
    public void Plan_is_a_list_of_sentences()
    {
        var daemon = Serve();
        Assert.Equal("nothing to do\n", Run("plan").Succeeded().Output);
        daemon.PlanText = $$"""
            {"schema":1,"steps":[{"action":"disable","patch":"lp_a","sha256":null,"reason":"new-version"},{"action":"unload","patch":"lp_a","sha256":null,"reason":null},
            {"action":"load","patch":"lp_a","sha256":"{{Digest}}","reason":null}],"holds":[{"patch":"lp_b","reason":"expired","retry_at":null}]}
            """;
        Assert.Equal(
            """
            1. Disable lp_a: new-version. A different build of the same module is in the
               directory.
            2. Remove the module lp_a.
            3. Load lp_a (sha256 0123456789ab).
            held: lp_b (expired). The manifest's not-after has passed.

            """,
            Run("plan").Succeeded().Output);
    }

    [Fact]
    public void Nothing_but_plain_text_without_a_terminal()
    {
        var daemon = Serve(new FakePatch { Name = "lp_a", Detail = "\e[31mred\u009b31m\u202e", State = "st\e[2Jate", Reason = "re\nason" });
        daemon.Version = "1\e]0;title\a";
        foreach (var verb in (string[][])[["list"], ["show", "lp_a"], ["status"], ["apply", "lp_a"], ["check"], ["show", "lp_a", "--json"]])
        {
            var run = Run(verb);
            Assert.DoesNotContain(run.Output + run.Error, static c => (char.IsControl(c) && c != '\n') || c == '\u202e');
        }
    }

    [Fact]
    public void Version_and_help()
    {
        Assert.Matches(@"^livepatchctl \d+\.\d+\.\d+\n$", Run("--version").Succeeded().Output);
        var help = Run("--help").Succeeded().Output;
        Assert.Equal(Run("-h").Output, help);
        Assert.DoesNotContain("/h", help, StringComparison.Ordinal);
        Assert.DoesNotContain("--address", help, StringComparison.Ordinal);
        foreach (var verb in (string[])["status", "list", "show", "plan", "apply", "revert", "stage", "unstage", "watch", "check", "reload"])
        {
            Assert.Contains($"  {verb}", help, StringComparison.Ordinal);
            Assert.Contains($"livepatchctl {verb}", Run(verb, "--help").Succeeded().Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(59.9, "59s")]
    [InlineData(60, "1m")]
    [InlineData(200, "3m 20s")]
    [InlineData(14700, "4h 5m")]
    [InlineData(187200, "2d 4h")]
    [InlineData(-61, "1m 1s")]
    public void A_span_is_its_two_largest_units(double seconds, string text) => Assert.Equal(text, TimeText.Span(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Text_is_cut_by_columns_not_by_characters()
    {
        Assert.Equal("abcdef", TextOf.Cut("abcdef", 6));
        Assert.Equal("ab...", TextOf.Cut("abcdef", 5));
        Assert.Equal("\u6f22...", TextOf.Cut("\u6f22\u5b57\u6f22\u5b57", 6));
        Assert.Equal("..", TextOf.Cut("abcdef", 2));
        Assert.Equal(["a bb", "cccccc", "d"], TextOf.Wrap("a  bb cccccc d", 4));
    }

    [Fact]
    public void Reload_says_what_was_wrong()
    {
        var daemon = Serve();
        Assert.Equal("configuration reloaded (generation 3)\n", Run("reload").Succeeded().Output);
        daemon.Refusal = ("InvalidArgument", "the configuration has errors");
        daemon.ConfigErrors = ["livepatchd.yaml:3: mode: must be apply or observe", "livepatchd.yaml:5: gatez: unknown key"];
        var run = Run("reload");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(["livepatchctl: reload: the new configuration was refused and the old one stays in force; correct these 2 and reload again", .. daemon.ConfigErrors], run.Error.TrimEnd('\n').Split('\n'));
    }
}
