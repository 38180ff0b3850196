// The contract's instruments: what the loop counts, and what is read from the snapshot that was shown last.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Publish;

namespace LivePatchd.Tests.Metrics;

public sealed class DaemonMeterTests : IDisposable
{
    private readonly Bench bench = new();

    public void Dispose() => bench.Dispose();

    private static PatchView Patch(PatchName name, PatchState state, double since = 0) => new(
        name, state, null, "", Given.Digest, null, "", "6.12.0", "daemon", "", "", [], [], null, null, null, Given.At(since), null, null, 0, "", [], null);

    private static DaemonSnapshot Snapshot(params PatchView[] patches) => new(
        new HostView("1", "6.12.0", "apply", "running", null, null, null, null, 1, [], [], 0),
        [.. patches], [], [], [], new GatesView(null, "", null, [], null, []), null, "{}", [], Given.Now);

    private double Observe(string name, string tags = "") => bench.Meter.Observe("livepatchd." + name, tags);

    [Fact]
    public void Observe_BeforeTheFirstLook_Zeros()
    {
        Assert.Equal(0, Observe("quarantined.patches"));
        Assert.Equal(0, Observe("oldest.pending"));
        Assert.Equal(0, Observe("transition.in.progress"));
        Assert.Equal(0, Observe("deferral.exhausted"));
        Assert.Equal(0, Observe("transitions", "operation=apply,result=reversed"));
        Assert.Equal(0, Observe("gate.holds", "gate=io-pressure"));
        Assert.Equal(0, Observe("patches.under.evidence", "grade=suspect"));
        Assert.Equal(1, Observe("config.last.reload.successful"));
        Assert.Equal(1, Observe("build.info", "version=1"));
    }

    [Fact]
    public void Publish_Snapshot_PatchesByState()
    {
        bench.Meter.Instruments.Publish(Snapshot(Patch(Given.One, PatchState.Active), Patch(Given.Two, PatchState.Quarantined)));
        Assert.Equal(1, Observe("patches", "state=active"));
        Assert.Equal(0, Observe("patches", "state=staged"));
        Assert.Equal(1, Observe("quarantined.patches"));
        Assert.Equal(1, Observe("patch.info", $"patch=lp_one,sha256={Given.Digest.Hex},kernel=6.12.0,state=active"));
        Assert.Equal((Given.Now.Wall - DateTimeOffset.UnixEpoch).TotalSeconds, Observe("reconcile.last.success.timestamp"));
    }

    [Fact]
    public void OldestPending_OnlyThoseThatWait_ByTheClockThatNobodySets()
    {
        bench.Meter.Instruments.Publish(Snapshot(
            Patch(Given.One, PatchState.Held, -5) with { PendingSince = Given.At(-60) }, Patch(Given.Two, PatchState.Active, -600),
            Patch(PatchName.Parse("lp_three"), PatchState.Staged, -30) with { PendingSince = Given.At(-30) }));
        Assert.Equal(60, Observe("oldest.pending"));
        bench.Time.Skip(TimeSpan.FromSeconds(5));
        Assert.Equal(65, Observe("oldest.pending"));
    }

    [Fact]
    public void Publish_Evidence_PatchesByGrade()
    {
        bench.Meter.Instruments.Publish(Snapshot(Patch(Given.One, PatchState.Held) with { Grade = EvidenceGrade.Suspect }, Patch(Given.Two, PatchState.Active)));
        Assert.Equal(1, Observe("patches.under.evidence", "grade=suspect"));
        Assert.Equal(0, Observe("patches.under.evidence", "grade=attributed"));
    }

    [Theory]
    [InlineData(OperationResult.Done, "done")]
    [InlineData(OperationResult.Failed, "failed")]
    [InlineData(OperationResult.Reversed, "reversed")]
    public void TransitionEnded_EachResult_ByItsWord(OperationResult result, string word)
    {
        bench.Meter.Instruments.TransitionEnded(new Effect.Finish(Operation.Apply, result), TimeSpan.FromSeconds(2));
        bench.Meter.Instruments.TransitionEnded(new Effect.Finish(Operation.Revert, result), null);
        Assert.Equal(1, bench.Meter.Observe("livepatchd.transitions", $"operation=apply,result={word}"));
        Assert.Equal(1, bench.Meter.Observe("livepatchd.transitions", $"operation=revert,result={word}"));
        Assert.Equal((1, 2), (bench.Meter.Times("livepatchd.transition.duration"), bench.Meter.Sum("livepatchd.transition.duration")));
    }

    [Fact]
    public void HeldBy_Gate_ByItsWord()
    {
        bench.Meter.Instruments.HeldBy(Gate.IoPressure);
        Assert.Equal(1, bench.Meter.Observe("livepatchd.gate.holds", "gate=" + Gate.IoPressure.Word()));
    }

    [Fact]
    public void Publish_PatchIsGone_ItsSeriesToo()
    {
        bench.Meter.Instruments.Publish(Snapshot(Patch(Given.One, PatchState.Quarantined)));
        bench.Meter.Instruments.Publish(Snapshot());
        Assert.Equal(0, Observe("quarantined.patches"));
        Assert.Equal(0, bench.Meter.Times("livepatchd.patch.info"));
    }
}
