// On a real pseudo-terminal: the live view, its redraws, colour and the lack of it, the progress line.
using LivePatchd.Bus.Tests;

namespace LivePatchd.Ctl.Tests;

public sealed class TerminalTests : CtlTest
{
    [Fact]
    public async Task Watch_redraws_in_place_with_the_age_of_the_transition()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "transitioning" });
        daemon.TransitionPatch = "lp_x";
        daemon.TransitionSince = TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(2);
        using var ctl = OnTerminal([], "watch", "--until-idle", "--timeout", "1m");
        await Eventually.Becomes(() => ctl.Lines.Any(static l => l.Contains("lp_x", StringComparison.Ordinal) && l.Contains("transitioning", StringComparison.Ordinal)));
        daemon.Set("lp_x", "active");
        var screen = (await ctl.End()).Succeeded().Output;
        Assert.Matches("transition: lp_x, 2m", screen);
        Assert.Contains("\e[33mtransitioning\e[0m", screen, StringComparison.Ordinal);
        Assert.Contains("\e[32mactive\e[0m", screen, StringComparison.Ordinal);
        Assert.Matches(@"\e\[5A", screen);
        // Nothing that outlives the process: no hidden cursor, no alternate screen, no keypad mode.
        Assert.DoesNotMatch(@"\e\[\?|\e=|\e>|\e\[[0-9;]*n", screen);
    }

    [Fact]
    public async Task No_color_is_heeded()
    {
        Serve(new FakePatch { Name = "lp_x" });
        using var plain = OnTerminal([("NO_COLOR", "1")], "list");
        Assert.DoesNotContain("\e", (await plain.End()).Succeeded().Output, StringComparison.Ordinal);
        using var dumb = OnTerminal([("TERM", "dumb")], "list");
        Assert.DoesNotContain("\e", (await dumb.End()).Succeeded().Output, StringComparison.Ordinal);
        using var colour = OnTerminal([], "list");
        Assert.Contains("\e[32mactive\e[0m", (await colour.End()).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_terminals_size_is_the_tables_width()
    {
        Serve(new FakePatch { Name = LongName, State = "held", Reason = "transition-in-progress", Sha256 = Digest });
        using var narrow = OnTerminal([("NO_COLOR", "1"), ("COLS", "60")], "list");
        Assert.All((await narrow.End()).Succeeded().Lines, static line => Assert.InRange(line.TrimEnd('\r').Length, 1, 60));
        using var wide = OnTerminal([("NO_COLOR", "1"), ("COLS", "120")], "list");
        Assert.Contains("held (transition-in-progress)  -      0123456789ab", (await wide.End()).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_progress_line_leaves_no_trace()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "staged" });
        FakeJob? job = null;
        daemon.OnJob = (d, j) =>
        {
            d.Set(j.Patch, "transitioning");
            (d.TransitionPatch, d.Tasks) = (j.Patch, (480, 492));
            job = j;
        };
        using var ctl = OnTerminal([], "apply", "lp_x");
        await Eventually.Becomes(() => job is not null);
        // Let it look once before the end; the look is a call on the bus that the daemon answers in order.
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        daemon.Finish(job!, "done", "active");
        var screen = (await ctl.End()).Succeeded().Output;
        // A carriage return reads as the end of a line here.
        Assert.Matches(@"\n\e\[Klp_x: transitioning \d+s, 480 of 492 tasks[^\n]*\n", screen);
        Assert.Matches(@"\n\e\[Klp_x: active\n$", screen);
    }
}
