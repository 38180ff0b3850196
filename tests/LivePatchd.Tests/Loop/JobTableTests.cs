// Jobs: what each verdict makes of them, who may have how many, and how long they stay.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class JobTableTests
{
    private readonly JobTable jobs = new();

    private string Result(uint id) => jobs.Find(id)!.Result;

    private string State(uint id) => jobs.Find(id)!.State;

    private void Advance(LifecycleEvent happened, Reason? reason = null, Instant? retryAt = null, long scans = 1, double seconds = 0) =>
        jobs.Advance(Given.Verdicts(Given.Verdict(happened, reason, retryAt: retryAt)), scans, Given.At(seconds));

    [Theory]
    [InlineData(LifecycleEvent.Patched, null, "done")]
    [InlineData(LifecycleEvent.OnProbation, null, "done")]
    [InlineData(LifecycleEvent.Patched, Reason.NewVersion, "")]
    [InlineData(LifecycleEvent.Patched, Reason.RemovedFromDirectory, "")]
    [InlineData(LifecycleEvent.Patched, Reason.LoadTooHigh, "held")]
    [InlineData(LifecycleEvent.Patched, Reason.DeferralExhausted, "")]
    [InlineData(LifecycleEvent.Ready, null, "")]
    [InlineData(LifecycleEvent.LoadCalled, null, "")]
    [InlineData(LifecycleEvent.Enabling, null, "")]
    [InlineData(LifecycleEvent.Overdue, Reason.TransitionOverdue, "")]
    [InlineData(LifecycleEvent.Cancelling, Reason.TransitionStalled, "")]
    [InlineData(LifecycleEvent.Refused, Reason.WrongKernel, "rejected")]
    [InlineData(LifecycleEvent.Quarantined, Reason.KernelOops, "rejected")]
    [InlineData(LifecycleEvent.CannotPatch, Reason.LivepatchAbsent, "rejected")]
    [InlineData(LifecycleEvent.Blocked, Reason.LoadTooHigh, "held")]
    [InlineData(LifecycleEvent.Blocked, Reason.ObserveMode, "held")]
    [InlineData(LifecycleEvent.Blocked, Reason.TransitionInProgress, "")]
    [InlineData(LifecycleEvent.Blocked, Reason.WaitingForOthers, "")]
    [InlineData(LifecycleEvent.Blocked, Reason.AttemptsExhausted, "held")]
    [InlineData(LifecycleEvent.Replaced, Reason.ReplacedByNewer, "held")]
    [InlineData(LifecycleEvent.SeenForeign, Reason.LoadedByHand, "held")]
    [InlineData(LifecycleEvent.Out, null, "failed")]
    [InlineData(LifecycleEvent.PinnedByForce, Reason.ForcedUntilReboot, "failed")]
    public void Advance_Apply_EndsAsTheVerdictSays(LifecycleEvent happened, Reason? reason, string result)
    {
        var job = jobs.Add("apply", Given.One, 0, 1);
        Advance(happened, reason);
        Assert.Equal(result, Result(job.Id));
        Assert.Equal(result.Length > 0, State(job.Id) == "done");
    }

    [Theory]
    [InlineData(LifecycleEvent.Out, null, "done")]
    [InlineData(LifecycleEvent.Ready, null, "done")]
    [InlineData(LifecycleEvent.Refused, Reason.WrongKernel, "done")]
    [InlineData(LifecycleEvent.CannotPatch, Reason.LivepatchAbsent, "done")]
    [InlineData(LifecycleEvent.Leaving, Reason.RevertedByOperator, "")]
    [InlineData(LifecycleEvent.Leaving, Reason.RevertRefused, "failed")]
    [InlineData(LifecycleEvent.Blocked, Reason.ObserveMode, "held")]
    [InlineData(LifecycleEvent.Blocked, Reason.TransitionInProgress, "")]
    [InlineData(LifecycleEvent.Quarantined, Reason.RebootToLeave, "failed")]
    [InlineData(LifecycleEvent.Quarantined, Reason.Disabled, "held")]
    [InlineData(LifecycleEvent.Quarantined, Reason.CrashLoop, "held")]
    [InlineData(LifecycleEvent.Quarantined, Reason.KernelOops, "done")]
    [InlineData(LifecycleEvent.Patched, Reason.RevertedByOperator, "")]
    [InlineData(LifecycleEvent.Patched, Reason.TransitionStalled, "reversed")]
    [InlineData(LifecycleEvent.Patched, Reason.IoPressure, "held")]
    [InlineData(LifecycleEvent.Patched, Reason.DeferralExhausted, "")]
    [InlineData(LifecycleEvent.Patched, null, "failed")]
    [InlineData(LifecycleEvent.SeenForeign, Reason.LoadedByHand, "failed")]
    [InlineData(LifecycleEvent.PinnedByForce, Reason.ForcedUntilReboot, "failed")]
    public void Advance_Revert_EndsAsTheVerdictSays(LifecycleEvent happened, Reason? reason, string result)
    {
        var job = jobs.Add("revert", Given.One, 0, 1);
        Advance(happened, reason);
        Assert.Equal(result, Result(job.Id));
    }

    [Theory]
    [InlineData("apply", "failed")]
    [InlineData("revert", "done")]
    public void Advance_NothingKnownOfThePatch_Ends(string kind, string result)
    {
        var job = jobs.Add(kind, Given.One, 0, 1);
        jobs.Advance(Given.Verdicts(Given.Verdict(LifecycleEvent.Patched, name: Given.Two)), 1, Given.Now);
        Assert.Equal(result, Result(job.Id));
    }

    [Theory]
    [InlineData(Reason.AttemptsExhausted)]
    [InlineData(Reason.TransitionStalled)]
    [InlineData(Reason.AbortedUnderPressure)]
    [InlineData(Reason.MadeWay)]
    public void Advance_TakenBackWhileRunning_Reversed(Reason why)
    {
        var job = jobs.Add("apply", Given.One, 0, 1);
        Advance(LifecycleEvent.Enabling);
        Assert.Equal("running", State(job.Id));
        Advance(LifecycleEvent.Blocked, why);
        Assert.Equal("reversed", Result(job.Id));
    }

    [Theory]
    [InlineData(60, "")]
    [InlineData(61, "held")]
    public void Advance_GatesSettling_WaitsAMinuteAtMost(double opensIn, string result)
    {
        var job = jobs.Add("apply", Given.One, 0, 1);
        Advance(LifecycleEvent.Blocked, Reason.GatesSettling, retryAt: Given.At(opensIn));
        Assert.Equal(result, Result(job.Id));
    }

    [Fact]
    public void Advance_BeforeItsScan_JobWaits()
    {
        var job = jobs.Add("revert", Given.One, 0, notBeforeScan: 3);
        Advance(LifecycleEvent.Out, scans: 2);
        Assert.Equal("", Result(job.Id));
        Advance(LifecycleEvent.Out, scans: 3);
        Assert.Equal("done", Result(job.Id));
    }

    [Fact]
    public void Advance_AfterItsEnd_ResultStaysForAMinuteThenGoes()
    {
        var job = jobs.Add("apply", Given.One, 0, 1);
        Advance(LifecycleEvent.Patched);
        Advance(LifecycleEvent.Refused, Reason.WrongKernel, seconds: 59);
        Assert.Equal("done", Result(job.Id));
        Advance(LifecycleEvent.Patched, seconds: 60);
        Assert.Null(jobs.Find(job.Id));
        Assert.Empty(jobs.Views);
    }

    [Fact]
    public void NextExpiry_LaterJobEndsFirst_IsTheEarliest()
    {
        Assert.Null(jobs.NextExpiry);
        var first = jobs.Add("apply", Given.One, 0, notBeforeScan: 9);
        var second = jobs.Add("apply", Given.Two, 0, 1);
        var plan = Given.Verdicts(Given.Verdict(LifecycleEvent.Patched), Given.Verdict(LifecycleEvent.Patched, name: Given.Two));
        jobs.Advance(plan, 1, Given.Now);
        Assert.Equal(("", "done"), (Result(first.Id), Result(second.Id)));
        jobs.Advance(plan, 9, Given.At(50));
        Assert.Equal("done", Result(first.Id));
        Assert.Equal(Given.Now.After(JobTable.Linger), jobs.NextExpiry);
    }

    [Fact]
    public void CancelOpposite_OpenJobsOfThePatch_EndAndOthersStay()
    {
        var apply = jobs.Add("apply", Given.One, 0, 1);
        var same = jobs.Add("revert", Given.One, 0, 1);
        var other = jobs.Add("apply", Given.Two, 0, 1);
        jobs.CancelOpposite("revert", Given.One, Given.Now);
        Assert.Equal(("cancelled", "", ""), (Result(apply.Id), Result(same.Id), Result(other.Id)));
    }

    [Fact]
    public void CancelOpposite_JobThatHasEnded_KeepsItsResult()
    {
        var job = jobs.Add("apply", Given.One, 0, 1);
        Advance(LifecycleEvent.Patched);
        jobs.CancelOpposite("revert", Given.One, Given.At(1));
        Assert.Equal("done", Result(job.Id));
    }

    [Fact]
    public void HasRoom_OneUser_UpToItsLimitUntilOneEnds()
    {
        for (var i = 0; i < JobTable.MaxOpenOfOne; i++)
        {
            Assert.True(jobs.HasRoom(1000));
            jobs.Add("apply", i == 0 ? Given.One : Given.Two, 1000, 1);
        }
        Assert.False(jobs.HasRoom(1000));
        Assert.True(jobs.HasRoom(1001));
        jobs.Advance(Given.Verdicts(Given.Verdict(LifecycleEvent.Patched), Given.Verdict(LifecycleEvent.Ready, name: Given.Two)), 1, Given.Now);
        Assert.True(jobs.HasRoom(1000));
    }

    [Fact]
    public void HasRoom_ManyUsers_LeaveSomeForRoot()
    {
        for (uint i = 0; i < JobTable.MaxOpen - JobTable.KeptForRoot; i++)
            jobs.Add("apply", Given.One, 1000 + (i / JobTable.MaxOpenOfOne), 1);
        Assert.False(jobs.HasRoom(2000));
        for (var i = 0; i < JobTable.KeptForRoot; i++)
        {
            Assert.True(jobs.HasRoom(0));
            jobs.Add("apply", Given.One, 0, 1);
        }
        Assert.False(jobs.HasRoom(0));
    }

    [Fact]
    public void Add_Ids_AreNeverUsedAgain()
    {
        var first = jobs.Add("apply", Given.One, 0, 1);
        Advance(LifecycleEvent.Patched);
        Advance(LifecycleEvent.Patched, seconds: 60);
        Assert.Equal(first.Id + 1, jobs.Add("apply", Given.One, 0, 1).Id);
    }
}
