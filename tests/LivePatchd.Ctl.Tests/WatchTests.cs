// The stream of changes without a terminal, and the live view on one.
using System.Text.Json;
using LivePatchd.Bus.Tests;

namespace LivePatchd.Ctl.Tests;

public sealed class WatchTests : CtlTest
{
    private const string Time = @"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2} ";

    [Fact]
    public async Task Every_change_is_a_line()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "staged" });
        using var ctl = Start("watch");
        await Subscribed(daemon, ctl);
        daemon.Set("lp_x", "loading");
        daemon.Set("lp_x", "transitioning");
        daemon.Set("lp_x", "transitioning", "transition-overdue");
        daemon.Set("lp_x", "transitioning", "transition-overdue");
        daemon.Add(new FakePatch { Name = "lp_new", State = "rejected", Reason = "truncated-file" });
        daemon.Remove("lp_new");
        daemon.Set("lp_x", "active");
        await Eventually.Becomes(() => ctl.Lines.LastOrDefault()?.EndsWith("lp_x active", StringComparison.Ordinal) == true);
        string[] expected = ["lp_x loading", "lp_x transitioning", "lp_x transitioning transition-overdue", "lp_new rejected truncated-file", "lp_new -", "lp_x active"];
        var lines = ctl.Lines.ToArray()[^expected.Length..];
        Assert.All(lines.Zip(expected), static pair => Assert.Matches($"{Time}{pair.Second}$", pair.First));
        ctl.Signal("TERM");
        (await ctl.End()).Succeeded();
    }

    [Fact]
    public async Task Json_is_one_object_a_line()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "staged" });
        using var ctl = Start("watch", "--json");
        await Subscribed(daemon, ctl);
        daemon.Set("lp_x", "held", "ftrace-disabled");
        daemon.Remove("lp_x");
        await Eventually.Becomes(() => ctl.Lines.Any(static l => l.Contains("\"patch\":\"lp_x\",\"state\":null", StringComparison.Ordinal)));
        Assert.All(ctl.Lines, static line => SchemaValidator.Validate("watch.json", line));
        using var held = JsonDocument.Parse(ctl.Lines.ToArray()[^2]);
        Assert.Equal("ftrace-disabled", held.RootElement.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_restart_of_the_daemon_is_survived()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "transitioning" }, new FakePatch { Name = "lp_gone" }, new FakePatch { Name = "lp_same" });
        using var ctl = Start("watch");
        await Subscribed(daemon, ctl);
        var before = ctl.Lines.Count;
        daemon.Stop();
        daemon.Forget("lp_gone");
        daemon.Become("lp_x", "active");
        daemon.Start();
        await Eventually.Becomes(() => ctl.Lines.Count == before + 2);
        Assert.EndsWith("lp_gone -", ctl.Lines.ToArray()[^2], StringComparison.Ordinal);
        Assert.EndsWith("lp_x active", ctl.Lines.ToArray()[^1], StringComparison.Ordinal);
        daemon.Set("lp_x", "reverting");
        await Eventually.Becomes(() => ctl.Lines.Count == before + 3);
        ctl.Signal("INT");
        Assert.Equal("livepatchctl: watch: livepatchd has left the bus; waiting for it to return\n", (await ctl.End()).Succeeded().Error);
    }

    [Fact]
    public async Task Until_idle_ends_when_nothing_is_under_way()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "transitioning" }, new FakePatch { Name = "lp_held", State = "held" });
        using var ctl = Start("watch", "--until-idle", "--timeout", "1m");
        await Subscribed(daemon, ctl);
        Assert.False(ctl.HasExited);
        daemon.Set("lp_x", "active");
        var end = (await ctl.End()).Succeeded();
        Assert.Matches(@"lp_x active\n$", end.Output);
    }

    [Fact]
    public void A_timeout_is_75_only_when_an_end_was_asked_for()
    {
        Serve(new FakePatch { Name = "lp_x", State = "stalled" });
        Assert.Equal(75, Run("watch", "--until-idle", "--timeout", "200ms").ExitCode);
        Assert.Equal(0, Run("watch", "--timeout", "200ms").ExitCode);
    }

    [Fact]
    public async Task A_bus_that_goes_away_is_69()
    {
        var daemon = Serve();
        using var ctl = Start("watch");
        await Subscribed(daemon, ctl);
        Bus.Kill();
        (await ctl.End()).Failed(69, "livepatchctl: watch: ");
    }

    // The probe is added and removed until the watcher has seen it, which proves that it listens; the marker is the last line of all this.
    private static async Task Subscribed(FakeDaemon daemon, RunningCtl ctl)
    {
        await Eventually.Becomes(() =>
        {
            daemon.Remove("probe");
            daemon.Add(new FakePatch { Name = "probe" });
            return !ctl.Lines.IsEmpty;
        });
        daemon.Remove("probe");
        daemon.Add(new FakePatch { Name = "marker" });
        await Eventually.Becomes(() => ctl.Lines.Any(static l => l.Contains("marker", StringComparison.Ordinal)));
    }
}
