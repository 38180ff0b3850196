// Who waits at the gates: counted once for each patch and gate when the wait begins.
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class GateWaitersTests : IDisposable
{
    private static readonly Plan Waiting = Given.Verdicts(Given.Verdict(LifecycleEvent.Blocked, Reason.LoadTooHigh));
    private static readonly Plan Exhausted = Given.Verdicts(Given.Verdict(LifecycleEvent.Ready, Reason.DeferralExhausted));

    private readonly Bench bench = new();
    private readonly DeskBench desks;
    private readonly GateWaiters waiters;

    public GateWaitersTests()
    {
        desks = new DeskBench(bench) { Load = 9 };
        waiters = new GateWaiters(bench.Meter.Instruments);
        Ask(Given.Now);
    }

    public void Dispose()
    {
        desks.Dispose();
        bench.Dispose();
    }

    private void Ask(Instant now) => desks.Gates.Ask(now, GateSettings.Default, DesiredState.Empty);

    private double? Held(string gate) => bench.Meter.Value("livepatchd_gate_holds_total", "gate=" + gate);

    [Fact]
    public void Take_GateHoldsAPatch_CountedOnce()
    {
        Assert.True(waiters.Take(Waiting, desks.Gates));
        Assert.True(waiters.Take(Waiting, desks.Gates));
        Assert.Equal(1, Held("load"));
    }

    [Fact]
    public void Take_WaitEndsAndBeginsAgain_CountedAgain()
    {
        waiters.Take(Waiting, desks.Gates);
        Assert.False(waiters.Take(Given.Verdicts(Given.Verdict(LifecycleEvent.Ready)), desks.Gates));
        waiters.Take(Waiting, desks.Gates);
        Assert.Equal(2, Held("load"));
    }

    [Fact]
    public void Take_HeldByAnotherGateNow_ThatOneIsCounted()
    {
        waiters.Take(Waiting, desks.Gates);
        desks.Load = 0;
        desks.Holds.Set(new StandingHold("release", 0, Given.Now, null));
        Ask(Given.At(1));
        waiters.Take(Given.Verdicts(Given.Verdict(LifecycleEvent.Blocked, Reason.OperatorHold)), desks.Gates);
        Assert.Equal((1, 1), (Held("load"), Held("hold")));
    }

    [Fact]
    public void Take_DeferralExhausted_CountedOnce()
    {
        waiters.Take(Waiting, desks.Gates);
        Assert.True(waiters.Take(Exhausted, desks.Gates));
        waiters.Take(Exhausted, desks.Gates);
        Assert.Equal(1, bench.Meter.Value("livepatchd_deferral_exhausted_total"));
        Assert.Equal(1, Held("load"));
    }

    [Fact]
    public void Take_HeldForAnotherReason_NobodyWaitsAtTheGates()
    {
        Assert.False(waiters.Take(Given.Verdicts(Given.Verdict(LifecycleEvent.Blocked, Reason.ObserveMode)), desks.Gates));
        Assert.All(Enum.GetValues<Gate>(), g => Assert.Equal(0, Held(g.Word())));
    }

    [Fact]
    public void AnyIn_StepThatPassesTheGates_OnlyLoadAndDisable()
    {
        Assert.True(GateWaiters.AnyIn(Given.Plan(new PlanStep.Await(Given.Two), new PlanStep.Load(Given.One, Given.Digest))));
        Assert.True(GateWaiters.AnyIn(Given.Plan(new PlanStep.Disable(Given.One, Reason.NewVersion))));
        Assert.False(GateWaiters.AnyIn(Given.Plan(new PlanStep.Adopt(Given.One, Given.Digest), new PlanStep.Reverse(Given.One, Reason.TransitionStalled))));
        Assert.False(GateWaiters.AnyIn(Given.Plan()));
    }
}
