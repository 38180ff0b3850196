// The life of each patch in view: its state, its log lines, its figures, and how long one that left stays in view.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class LifeTableTests : IDisposable
{
    private readonly Bench bench = new();
    private readonly LifeTable table;

    public LifeTableTests() => table = new LifeTable(bench.Log, bench.Meter.Instruments);

    public void Dispose() => bench.Dispose();

    private void Take(double seconds, LifecycleEvent happened, Reason? reason = null) =>
        table.Take(Given.Verdicts(Given.Verdict(happened, reason)), Given.At(seconds));

    private void TakeNothing(double seconds) => table.Take(Given.Verdicts(), Given.At(seconds));

    private PatchState? State => table.Lives.GetValueOrDefault(Given.One)?.State;

    [Fact]
    public void Take_ApplyToItsEnd_StatesLogAndFigures()
    {
        Take(0, LifecycleEvent.Ready);
        Take(1, LifecycleEvent.LoadCalled);
        Take(2, LifecycleEvent.Enabling);
        Take(4, LifecycleEvent.Patched);
        Assert.Equal(PatchState.Active, State);
        Assert.Equal(Given.At(4), table.Lives[Given.One].Since);
        foreach (var line in new[] { "new -> staged", "staged -> loading", "loading -> transitioning", "transitioning -> active" })
            Assert.Equal(1, bench.Said.Count("lp_one: " + line));
        Assert.Equal(1, bench.Meter.Value("livepatchd_transitions_total", "operation=apply,result=done"));
        Assert.Equal(3, bench.Meter.Value("livepatchd_transition_duration_seconds_sum", "operation=apply"));
    }

    [Fact]
    public void Take_SameVerdictAgain_SaysNothing()
    {
        Take(0, LifecycleEvent.Blocked, Reason.LoadTooHigh);
        var said = bench.Said.Text;
        Take(1, LifecycleEvent.Blocked, Reason.LoadTooHigh);
        Assert.Equal(said, bench.Said.Text);
        Assert.Equal(Given.At(0), table.Lives[Given.One].Since);
    }

    [Fact]
    public void Take_HeldForAnotherReason_LoggedOnce()
    {
        Take(0, LifecycleEvent.Blocked, Reason.LoadTooHigh);
        Take(1, LifecycleEvent.Blocked, Reason.OperatorHold);
        Take(2, LifecycleEvent.Blocked, Reason.OperatorHold);
        Assert.Equal(1, bench.Said.Count("operator-hold"));
        // Everybody's own turn is no news of this patch.
        Take(3, LifecycleEvent.Blocked, Reason.TransitionInProgress);
        Assert.Equal(0, bench.Said.Count("transition-in-progress"));
    }

    [Fact]
    public void Take_TransitionSeenFromItsMiddle_CountedWithoutADuration()
    {
        Take(0, LifecycleEvent.Patched);
        Take(1, LifecycleEvent.Leaving, Reason.RevertedByOperator);
        table.Forget(Given.One);
        Take(2, LifecycleEvent.Leaving, Reason.RevertedByOperator);
        Take(5, LifecycleEvent.Out);
        Assert.Equal(1, bench.Meter.Value("livepatchd_transitions_total", "operation=revert,result=done"));
        Assert.Equal(3, bench.Meter.Value("livepatchd_transition_duration_seconds_sum", "operation=revert"));
    }

    [Fact]
    public void Take_MoveThatTheTableDoesNotAllow_IsABugAndIsShown()
    {
        Take(0, LifecycleEvent.Quarantined, Reason.KernelOops);
        Take(1, LifecycleEvent.Patched);
        Assert.Equal(1, bench.Said.Count("Bug: lp_one went from quarantined by Patched"));
        Assert.Equal(PatchState.Active, State);
    }

    [Fact]
    public void Take_LeavingPatchVanishes_RevertedForTenMinutesThenGone()
    {
        Take(0, LifecycleEvent.Patched);
        Take(1, LifecycleEvent.Leaving, Reason.RemovedFromDirectory);
        TakeNothing(2);
        Assert.Equal(PatchState.Reverted, State);
        Assert.Equal(LifecycleEvent.Out, Assert.Single(table.Verdicts).Event);
        TakeNothing(601);
        Assert.Equal(PatchState.Reverted, State);
        TakeNothing(602);
        Assert.Null(State);
        Assert.Empty(table.Verdicts);
    }

    [Theory]
    [InlineData(LifecycleEvent.SeenForeign)]
    [InlineData(LifecycleEvent.Refused)]
    [InlineData(LifecycleEvent.Blocked)]
    public void Take_OtherPatchVanishes_GoneAtOnce(LifecycleEvent was)
    {
        Take(0, was);
        TakeNothing(1);
        Assert.Null(State);
        Assert.Empty(table.Verdicts);
    }

    [Fact]
    public void Forget_ForeignPatchAdopted_BeginsALifeOfOurs()
    {
        Take(0, LifecycleEvent.SeenForeign);
        table.Forget(Given.One);
        Take(1, LifecycleEvent.OnProbation);
        Assert.Equal(1, bench.Said.Count("new -> soaking"));
        Assert.Equal(0, bench.Said.Count("Bug"));
    }

    [Fact]
    public void Verdicts_ManyPatches_InOrderOfTheirNames()
    {
        table.Take(Given.Verdicts(Given.Verdict(LifecycleEvent.Ready, name: Given.Two), Given.Verdict(LifecycleEvent.Patched)), Given.Now);
        Assert.Equal([Given.One, Given.Two], table.Verdicts.Select(v => v.Name));
    }
}
