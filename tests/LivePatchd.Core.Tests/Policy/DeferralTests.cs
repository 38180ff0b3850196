// How long closed gates hold a patch: budgets, deadlines, overrides, and what people decided.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;

namespace LivePatchd.Core.Tests.Policy;

public sealed class DeferralTests
{
    private static readonly Instant Start = new(TimeSpan.FromHours(5), new DateTimeOffset(2026, 3, 4, 12, 0, 0, TimeSpan.Zero));

    private static readonly DeferralSettings Settings = new(TimeSpan.FromHours(24), AfterDeferral.Apply, TimeSpan.FromHours(1));

    [Theory]
    [InlineData(Severity.Medium, Gate.IoPressure, 23.9, DeferralAnswer.Wait)]
    [InlineData(Severity.Medium, Gate.IoPressure, 24.0, DeferralAnswer.GoAnyway)]
    [InlineData(Severity.Medium, Gate.Uptime, 24.0, DeferralAnswer.GoAnyway)]
    [InlineData(Severity.Critical, Gate.Network, 0.9, DeferralAnswer.Wait)]
    [InlineData(Severity.Critical, Gate.Network, 1.0, DeferralAnswer.GoAnyway)]
    [InlineData(Severity.High, Gate.Window, 48.0, DeferralAnswer.Keep)]
    [InlineData(Severity.Critical, Gate.Window, 1.0, DeferralAnswer.GoAnyway)]
    [InlineData(Severity.Critical, Gate.Hold, 48.0, DeferralAnswer.Keep)]
    [InlineData(Severity.Critical, Gate.Inhibitor, 48.0, DeferralAnswer.Keep)]
    public void The_budget_ends_the_wait_unless_people_decided_it(Severity severity, Gate closed, double hours, DeferralAnswer expected) =>
        Assert.Equal(expected, Deferral.Decide(Request(severity), Settings, Closed(closed), Start.After(TimeSpan.FromHours(hours))).Answer);

    [Fact]
    public void Policy_may_keep_it_and_says_that_the_budget_is_spent()
    {
        var kept = Deferral.Decide(Request(), Settings with { Then = AfterDeferral.Hold }, Closed(Gate.Load), Start.After(TimeSpan.FromDays(2)));
        Assert.Equal((DeferralAnswer.Keep, true, false), (kept.Answer, kept.Exhausted, kept.MayGo));
        Assert.Equal(DeferralAnswer.Go, Deferral.Decide(Request(), Settings with { Then = AfterDeferral.Hold }, GateBoard.AllOpen, Start.After(TimeSpan.FromDays(2))).Answer);
    }

    [Fact]
    public void Settling_is_waited_for_like_a_closed_gate()
    {
        var settling = new GateBoard([], Reason.GatesSettling, Start, "");
        Assert.Equal(DeferralAnswer.Wait, Deferral.Decide(Request(), Settings, settling, Start).Answer);
        Assert.Equal(DeferralAnswer.GoAnyway, Deferral.Decide(Request(), Settings, settling, Start.After(TimeSpan.FromDays(1))).Answer);
    }

    [Fact]
    public void An_override_goes_at_once_through_any_gate() =>
        Assert.All(Enum.GetValues<Gate>(), g =>
            Assert.Equal(DeferralAnswer.Go, Deferral.Decide(Request() with { OverrideGates = true }, Settings, Closed(g), Start).Answer));

    [Fact]
    public void The_earliest_of_budget_and_deadlines_counts()
    {
        var soon = Request() with { AskedDeadline = Start.After(TimeSpan.FromHours(2)), ManifestDeadline = Start.Wall.AddHours(3) };
        Assert.Equal(TimeSpan.FromHours(2), Until(soon));
        Assert.Equal(TimeSpan.FromHours(3), Until(soon with { AskedDeadline = null }));
        Assert.Equal(TimeSpan.FromHours(24), Until(soon with { AskedDeadline = Start.After(TimeSpan.FromDays(3)), ManifestDeadline = null }));
        Assert.Equal(TimeSpan.FromHours(24), Until(Request() with { ManifestDeadline = Start.Wall.AddYears(10) }));
    }

    [Theory]
    [InlineData(Severity.Medium, 3, 21)]
    [InlineData(Severity.Medium, 23.5, 1)]
    [InlineData(Severity.Medium, 90_000, 1)]
    [InlineData(Severity.Critical, 0.25, 0.75)]
    [InlineData(Severity.Critical, 90_000, 0.25)]
    public void What_waited_over_a_reboot_keeps_what_is_spent_and_gets_a_moment_of_the_new_boot(Severity severity, double hoursBefore, double hoursAfter)
    {
        var boot = Start.After(-Start.Monotonic);
        var until = Deferral.Until(Request(severity) with { PendingSince = boot.After(TimeSpan.FromHours(-hoursBefore)) }, Settings, Start);
        Assert.Equal(TimeSpan.FromHours(hoursAfter), until.Monotonic);
        Assert.Equal(until.Monotonic - Start.Monotonic, until.Wall - Start.Wall);
    }

    private static TimeSpan Until(DeferralRequest request) => Deferral.Until(request, Settings, Start).Since(Start);

    private static DeferralRequest Request(Severity severity = Severity.Medium) => new(Start, severity, null, null, OverrideGates: false);

    private static GateBoard Closed(Gate gate) =>
        new([new GateState(gate, false, Start, true, null, null, null, null, null, "")], Reason.IoPressure, null, "");
}
