// Requests of people: what the journal learns, which job follows, and what the caller hears, refusals included.
using LivePatchd.Control;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class CommandDeskTests : IDisposable
{
    private static readonly DesiredState Wanted = Given.Want(Given.File());

    private readonly SharedBus bus;
    private readonly Bench bench = new();
    private readonly JournalBook journal;
    private readonly JobTable jobs = new();
    private readonly CommandDesk desk;

    public CommandDeskTests(SharedBus bus)
    {
        this.bus = bus;
        journal = bench.Journal();
        desk = new CommandDesk(journal, jobs, bench.Clock, bench.Log);
    }

    public void Dispose()
    {
        journal.Dispose();
        bench.Dispose();
    }

    private void Carry(Command command, ObservedState? seen = null, DesiredState? desired = null, Reason? bar = null) =>
        desk.Carry(command, seen ?? Given.Seen(), desired ?? Wanted, bar, notBeforeScan: 1);

    private void Own()
    {
        foreach (var kind in new[] { RecordKind.LoadIntent, RecordKind.Loaded })
            Assert.True(journal.Record(Given.Record(kind)));
    }

    private string OnDisk => File.ReadAllText(bench.Files.Path(JournalBook.Path));

    [Fact]
    public void Carry_Apply_RecordedAndAnsweredWithItsJobOnceThatIsShown()
    {
        var asked = bus.AskForPath();
        Carry(new Command.Apply(asked.Call, Given.One, OverrideGates: true, Deadline: Given.At(60).Wall));
        Assert.Contains("OperatorApplied", OnDisk, StringComparison.Ordinal);
        Assert.Equal(bench.Now, journal.Ledger.Overrides[Given.One]);
        Assert.Equal(Given.At(60).Wall, journal.Ledger.Deadlines[Given.One]);
        var job = Assert.Single(jobs.Views);
        Assert.Equal(("apply", Given.One, "waiting", ""), (job.Kind, job.Patch, job.State, job.Result));
        Assert.True(asked.IsOpen);
        desk.AnswerAccepted();
        Assert.Equal(JobInterface.PathOf(job.Id), asked.Value);
    }

    [Theory]
    [InlineData(Reason.ObserveMode)]
    [InlineData(Reason.Disabled)]
    [InlineData(Reason.ConfigInvalid)]
    [InlineData(Reason.CrashLoop)]
    [InlineData(Reason.JournalUnreadable)]
    public void Carry_NothingIsChangedNow_RefusedWithoutATrace(Reason bar)
    {
        Own();
        var before = OnDisk;
        var (apply, revert) = (bus.AskForPath(), bus.AskForPath());
        Carry(new Command.Apply(apply.Call, Given.One), bar: bar);
        Carry(new Command.Revert(revert.Call, Given.One), bar: bar);
        foreach (var asked in new[] { apply, revert })
        {
            Assert.Equal(BusErrors.Held, asked.Error.Name);
            Assert.StartsWith($"{bar.Word()}: ", asked.Error.Message, StringComparison.Ordinal);
        }
        Assert.Empty(jobs.Views);
        Assert.Equal(before, OnDisk);
        Assert.Empty(journal.Ledger.Reverted);
    }

    [Fact]
    public void Carry_ApplyUnderQuarantine_RefusedWithoutATrace()
    {
        Own();
        journal.Record(Given.Record(RecordKind.Quarantined, reason: Reason.KernelOops));
        var before = OnDisk;
        var asked = bus.AskForPath();
        Carry(new Command.Apply(asked.Call, Given.One));
        Assert.Equal(BusErrors.Quarantined, asked.Error.Name);
        Assert.StartsWith("kernel-oops: ", asked.Error.Message, StringComparison.Ordinal);
        Assert.Empty(jobs.Views);
        Assert.Equal(before, OnDisk);
    }

    [Fact]
    public void Carry_ApplyOfAnotherBuildThanTheQuarantined_Accepted()
    {
        journal.Record(Given.Record(RecordKind.Quarantined, reason: Reason.KernelOops));
        Carry(new Command.Apply(null, Given.One), desired: Given.Want(Given.File(digest: Given.OtherDigest)));
        Assert.Single(jobs.Views);
    }

    [Fact]
    public void Carry_JournalCannotBeWritten_RefusedWithoutAJob()
    {
        bench.BreakState();
        var asked = bus.AskForPath();
        Carry(new Command.Apply(asked.Call, Given.One));
        Assert.Equal(BusErrors.Failed, asked.Error.Name);
        Assert.StartsWith("journal-unavailable: ", asked.Error.Message, StringComparison.Ordinal);
        Assert.Empty(jobs.Views);
    }

    [Fact]
    public void Carry_Downgrade_HoldsForTheBytesThatLieThereNow()
    {
        var asked = bus.AskForPath();
        Carry(new Command.Apply(asked.Call, Given.One, Downgrade: true));
        Assert.Equal([Given.Digest], journal.Ledger.Downgrades.Keys);
        Assert.Equal(1, bench.Said.Count("lp_one: uid 0 lets it be loaded although its stream is further"));
    }

    [Fact]
    public void Carry_DowngradeThatIsNotRecorded_IsNotLoggedAsLetIn()
    {
        bench.BreakState();
        Carry(new Command.Apply(null, Given.One, Downgrade: true));
        Assert.Empty(journal.Ledger.Downgrades);
        Assert.Equal(0, bench.Said.Count("lets it be loaded"));
    }

    [Fact]
    public void Carry_Revert_RecordedAndTheOpenApplyIsCancelled()
    {
        Own();
        Carry(new Command.Apply(null, Given.One));
        var asked = bus.AskForPath();
        Carry(new Command.Revert(asked.Call, Given.One));
        desk.AnswerAccepted();
        Assert.Equal(JobInterface.PathOf(2), asked.Value);
        Assert.Contains(Given.One, journal.Ledger.Reverted);
        Assert.Equal(["cancelled", ""], jobs.Views.Select(j => j.Result));
    }

    [Fact]
    public void Carry_RevertOfAForeignPatch_Refused()
    {
        var asked = bus.AskForPath();
        Carry(new Command.Revert(asked.Call, Given.One), Given.Seen(Given.Loaded(KernelPatchState.Active)));
        Assert.Equal(BusErrors.NameConflict, asked.Error.Name);
        Assert.DoesNotContain(Given.One, journal.Ledger.Reverted);
    }

    [Fact]
    public void Carry_RevertOfAnUnknownName_Refused()
    {
        var asked = bus.AskForPath();
        Carry(new Command.Revert(asked.Call, Given.Two));
        Assert.Equal((BusErrors.NoSuchPatch, "no patch lp_two"), asked.Error);
    }

    [Fact]
    public void Carry_RevertOfARefusedFile_Accepted()
    {
        Carry(new Command.Revert(null, Given.One), desired: new DesiredState([], [new RefusedFile("/p/lp_one.ko", Given.One, Reason.WrongKernel, "")], []));
        Assert.Contains(Given.One, journal.Ledger.Reverted);
    }

    [Fact]
    public void Carry_MoreJobsThanAllowed_RefusedWithoutATrace()
    {
        for (var i = 0; i < JobTable.MaxOpen; i++)
            jobs.Add("apply", Given.Two, 0, 1);
        var before = OnDisk;
        var (apply, revert) = (bus.AskForPath(), bus.AskForPath());
        Carry(new Command.Apply(apply.Call, Given.One));
        Carry(new Command.Revert(revert.Call, Given.One));
        Assert.Equal((BusErrors.LimitsExceeded, BusErrors.LimitsExceeded), (apply.Error.Name, revert.Error.Name));
        Assert.Equal(before, OnDisk);
    }

    [Fact]
    public void Carry_CancelOfAnApply_RevertFollows()
    {
        var job = jobs.Add("apply", Given.One, 0, 1);
        var asked = bus.Ask();
        Carry(new Command.Cancel(asked.Call, job.Id));
        Assert.True(asked.Value);
        Assert.Equal("cancelled", jobs.Find(job.Id)!.Result);
        Assert.Contains(Given.One, journal.Ledger.Reverted);
        Assert.Equal("revert", jobs.Views[^1].Kind);
    }

    [Fact]
    public void Carry_CancelOfARevert_ApplyFollows()
    {
        Own();
        Carry(new Command.Revert(null, Given.One));
        var asked = bus.Ask();
        Carry(new Command.Cancel(asked.Call, 1));
        Assert.True(asked.Value);
        Assert.Equal("cancelled", jobs.Find(1)!.Result);
        Assert.DoesNotContain(Given.One, journal.Ledger.Reverted);
    }

    [Fact]
    public void Carry_CancelOfAJobThatHasEnded_Refused()
    {
        var job = jobs.Add("apply", Given.One, 0, 1);
        jobs.Advance(Given.Verdicts(Given.Verdict(LifecycleEvent.Patched)), 1, bench.Now);
        var asked = bus.Ask();
        Carry(new Command.Cancel(asked.Call, job.Id));
        Assert.Equal((BusErrors.InvalidArgument, "the job has ended"), asked.Error);
        Assert.DoesNotContain(Given.One, journal.Ledger.Reverted);
    }

    [Fact]
    public void Carry_CancelThatIsNotRecorded_IsNotAnsweredAsDone()
    {
        var job = jobs.Add("apply", Given.One, 0, 1);
        bench.BreakState();
        var asked = bus.Ask();
        Carry(new Command.Cancel(asked.Call, job.Id));
        Assert.Equal(BusErrors.Failed, asked.Error.Name);
        Assert.Equal("", jobs.Find(job.Id)!.Result);
    }

    [Fact]
    public void Carry_CancelOfARevertUnderQuarantine_Refused()
    {
        Own();
        Carry(new Command.Revert(null, Given.One));
        journal.Record(Given.Record(RecordKind.Quarantined, reason: Reason.KernelOops));
        var asked = bus.Ask();
        Carry(new Command.Cancel(asked.Call, 1));
        Assert.Equal(BusErrors.Quarantined, asked.Error.Name);
        Assert.Equal("", jobs.Find(1)!.Result);
        Assert.Contains(Given.One, journal.Ledger.Reverted);
    }

    [Fact]
    public void Quarantine_WantedBytes_ItsMark()
    {
        Assert.Null(desk.Quarantine(Given.One, Wanted));
        journal.Record(Given.Record(RecordKind.Quarantined, reason: Reason.KernelOops));
        Assert.Equal(Reason.KernelOops, desk.Quarantine(Given.One, Wanted)!.Reason);
        Assert.Null(desk.Quarantine(Given.One, DesiredState.Empty));
        Assert.Null(desk.Quarantine(Given.Two, Wanted));
    }

    [Fact]
    public void Answer_Staged_NameRefusalOrErrno()
    {
        var (staged, refused, failed) = (bus.AskForText(), bus.AskForText(), bus.AskForText());
        CommandDesk.Answer(Staged(staged, new StageResult(Given.One, null, default)));
        CommandDesk.Answer(Staged(refused, new StageResult(null, new RefusedFile("x", null, Reason.WrongKernel, "built for 5.10"), default)));
        CommandDesk.Answer(Staged(failed, new StageResult(null, null, SysResult.Fail(Errno.ENOSPC, "write"))));
        Assert.Equal("lp_one", staged.Value);
        Assert.Equal((BusErrors.Of(Reason.WrongKernel), "wrong-kernel: built for 5.10"), refused.Error);
        Assert.Equal((BusErrors.Failed, "write: ENOSPC"), failed.Error);
    }

    [Fact]
    public void Answer_Unstaged_ByItsErrno()
    {
        var (done, absent, readOnly, failed) = (bus.Ask(), bus.Ask(), bus.Ask(), bus.Ask());
        CommandDesk.Answer(new WorkResult.Unstaged(new Command.Unstage(done.Call, Given.One), SysResult.Success));
        CommandDesk.Answer(new WorkResult.Unstaged(new Command.Unstage(absent.Call, Given.One), SysResult.Fail(Errno.ENOENT, "unlink")));
        CommandDesk.Answer(new WorkResult.Unstaged(new Command.Unstage(readOnly.Call, Given.One), SysResult.Fail(Errno.EROFS, "unlink")));
        CommandDesk.Answer(new WorkResult.Unstaged(new Command.Unstage(failed.Call, Given.One), SysResult.Fail(Errno.EIO, "unlink")));
        Assert.True(done.Value);
        Assert.Equal(BusErrors.NoSuchPatch, absent.Error.Name);
        Assert.Contains("read-only", readOnly.Error.Message, StringComparison.Ordinal);
        Assert.Equal((BusErrors.Failed, "unlink: EIO"), failed.Error);
    }

    [Fact]
    public void Answer_Reload_ErrorsOrNothing()
    {
        var (good, bad) = (bus.Ask(), bus.Ask());
        CommandDesk.Answer(new Command.Reload(good.Call), []);
        CommandDesk.Answer(new Command.Reload(bad.Call), ["a: first", "b: second"]);
        Assert.True(good.Value);
        Assert.Equal((BusErrors.InvalidArgument, "config-invalid: a: first; b: second"), bad.Error);
    }

    [Fact]
    public void Answer_NobodyWaits_IsNoError()
    {
        CommandDesk.Answer(new WorkResult.Staged(new Command.Stage(null, new Microsoft.Win32.SafeHandles.SafeFileHandle(), "x.ko"), new StageResult(Given.One, null, default)));
        CommandDesk.Answer(new WorkResult.Unstaged(new Command.Unstage(null, Given.One), SysResult.Success));
        CommandDesk.Answer(new Command.Reload(null), ["wrong"]);
        desk.AnswerAccepted();
    }

    private static WorkResult.Staged Staged(Asked<string> asked, StageResult result) =>
        new(new Command.Stage(asked.Call, new Microsoft.Win32.SafeHandles.SafeFileHandle(), "lp_one.ko"), result);
}
