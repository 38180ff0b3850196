// `blocking` and `force`: what they print, what they ask of the daemon, and the progress that other verbs show.
using LivePatchd.Bus.Tests;

namespace LivePatchd.Ctl.Tests;

public sealed class BlockingTests : CtlTest
{
    private const string None =
        """{"schema":1,"transition":null,"seen_at":null,"tasks_total":null,"tasks_switched":null,"pending":null,"unreadable":null,"token":null,"blockers":[],"units":[]}""";

    private const string Early =
        """{"schema":1,"transition":{"patch":"lp_a","direction":"enable","since":"2026-01-01T12:00:00+00:00","age_seconds":0.4,"overdue":false},"seen_at":null,"tasks_total":null,"tasks_switched":null,"pending":null,"unreadable":null,"token":null,"blockers":[],"units":[]}""";

    private const string Stalled =
        """
        {"schema":1,"transition":{"patch":"lp_a","direction":"enable","since":"2026-01-01T12:00:00+00:00","age_seconds":25.3,"overdue":true},
        "seen_at":"2026-01-01T12:00:25+00:00","tasks_total":1200,"tasks_switched":196,"pending":1004,"unreadable":1,"token":"0123456789ab",
        "blockers":[
        {"pid":501,"tid":502,"comm":"cat","state":"D","unit":"a-very-long-name-of-a-service-that-fills-the-line.service","uid":1000,"blocked_seconds":22,"attempts":22,"stack_readable":true,"function":"lp_hold_wait","kernel_thread":false,"own":false,"never_completes":false},
        {"pid":77,"tid":77,"comm":"lp_thread","state":"S","unit":null,"uid":0,"blocked_seconds":2.5,"attempts":2,"stack_readable":true,"function":"lp_hold_main","kernel_thread":true,"own":false,"never_completes":true},
        {"pid":88,"tid":88,"comm":"sh\u001b[2J","state":"R","unit":null,"uid":null,"blocked_seconds":0,"attempts":1,"stack_readable":false,"function":null,"kernel_thread":false,"own":false,"never_completes":false}],
        "units":[
        {"name":"a-very-long-name-of-a-service-that-fills-the-line.service","tasks":1001,"longest_blocked_seconds":22},
        {"name":"kernel threads","tasks":1,"longest_blocked_seconds":2.5},
        {"name":"no unit","tasks":1,"longest_blocked_seconds":null}]}
        """;

    [Fact]
    public void Units_are_listed_longest_blocked_first()
    {
        Daemon(Stalled);
        Assert.Equal(
            """
            lp_a: enabling for 25s, 196 of 1200 tasks switched
            cannot be read and may block as well: 1

            UNIT                                                       TASKS  BLOCKED
            a-very-long-name-of-a-service-that-fills-the-line.service  1001   22s
            kernel threads                                             1      2s
            no unit                                                    1      -
            ... and 1 more
            kernel thread lp_thread never leaves lp_hold_main: the transition cannot end

            """,
            Run("blocking").Succeeded().Output);
    }

    [Fact]
    public void Tasks_are_listed_within_80_columns_and_without_their_control_characters()
    {
        Daemon(Stalled);
        var run = Run("blocking", "-v").Succeeded();
        Assert.All(run.Lines, static line => Assert.InRange(line.Length, 0, 80));
        Assert.DoesNotContain(run.Output, static c => char.IsControl(c) && c != '\n');
        Assert.Contains("... and 1001 more", run.Lines);
        Assert.Contains(run.Lines, static l => l.StartsWith("501 ", StringComparison.Ordinal) && l.Contains("lp_hold_wait", StringComparison.Ordinal));
        Assert.Contains(run.Lines, static l => l.StartsWith("88 ", StringComparison.Ordinal) && l.Contains("not shown", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_transition_it_says_so()
    {
        var daemon = Daemon(None);
        Assert.Equal("no transition is running\n", Run("blocking").Succeeded().Output);
        SchemaValidator.Validate("blocking.json", Run("blocking", "--json").Succeeded().Output);
        Run("force", "lp_a").Failed(2, "not in transition");
        Run("force", "lp_z").Failed(4);
        Assert.Empty(daemon.Asked);
    }

    [Fact]
    public void Whoever_asks_early_waits_until_the_daemon_has_looked()
    {
        Daemon(Early, Early, Stalled);
        SchemaValidator.Validate("blocking.json", Early);
        var text = Run("blocking", "--json").Succeeded().Output;
        SchemaValidator.Validate("blocking.json", text);
        Assert.Contains("\"pid\":501", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("nonsense")]
    [InlineData("""{"schema":2,"transition":null}""")]
    public void A_report_of_another_shape_is_not_shown(string text)
    {
        Daemon(text);
        Run("blocking").Failed(1, "not of schema 1");
    }

    [Fact]
    public void Force_without_a_token_shows_what_it_means_and_asks_for_nothing()
    {
        var daemon = Daemon(Stalled);
        var run = Run("force", "lp-a");
        Assert.Equal(2, run.ExitCode);
        Assert.All(run.Lines, static line => Assert.InRange(line.Length, 0, 80));
        Assert.Contains("lp_hold_wait", run.Output, StringComparison.Ordinal);
        Assert.Contains("plan a reboot", run.Output.Replace('\n', ' '), StringComparison.Ordinal);
        Assert.Equal("livepatchctl force lp_a --token 0123456789ab", run.Lines[^1]);
        Assert.Empty(daemon.Asked);
    }

    [Fact]
    public void Force_with_its_token_is_passed_on_and_a_refusal_is_told()
    {
        var daemon = Daemon(Stalled);
        Assert.Equal("lp_a: forced; plan a reboot\n", Run("force", "lp_a", "--token", "0123456789ab").Succeeded().Output);
        Assert.Equal(["force lp_a 0123456789ab"], daemon.Asked);
        daemon.Refusal = ("InvalidArgument", "the token is not the one of the running transition of lp_a");
        Run("force", "lp_a", "--token", "x").Failed(2, "token");
        daemon.Refusal = ("NotAuthorized", "org.livepatchd1.force");
        Run("force", "lp_a", "--token", "x").Failed(77);
    }

    [Fact]
    public async Task Status_and_watch_show_how_far_a_transition_is()
    {
        var daemon = Daemon(Stalled);
        (daemon.TransitionPatch, daemon.TransitionSince, daemon.Tasks) = ("lp_a", TimeProvider.System.GetUtcNow(), (10, 12));
        Assert.Contains("10 of 12 tasks switched", Run("status").Succeeded().Output, StringComparison.Ordinal);
        using var ctl = OnTerminal("watch", "--timeout", "20s");
        await Eventually.Becomes(() => ctl.Lines.Any(static l => l.Contains("10 of 12 tasks switched", StringComparison.Ordinal)));
        // No signal tells of it.
        daemon.Tasks = (11, 12);
        await Eventually.Becomes(() => ctl.Lines.Any(static l => l.Contains("11 of 12 tasks switched", StringComparison.Ordinal)));
    }

    private FakeDaemon Daemon(params string[] reports)
    {
        var daemon = Serve(new FakePatch { Name = "lp_a", State = "stalled" });
        foreach (var report in reports)
            daemon.BlockingTexts.Enqueue(report);
        return daemon;
    }
}
