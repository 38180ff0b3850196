// One step carried out: the intent on disk before the kernel is asked, the outcome after it, and what each refusal makes of it.
using System.Collections.Immutable;
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Placement;
using LivePatchd.Linux.Preflight;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Tests.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class ExecutorTests : IDisposable
{
    private static readonly Patch Patch = new("lp_one");

    private readonly LoopBench loop = new();
    private readonly Bench bench;
    private readonly JournalBook journal;
    private readonly ManualResetEventSlim held = new();
    private readonly Worker worker = new("kernel", static () => { });
    private readonly Worker files = new("files", static () => { });
    private readonly DeskBench desks;
    private readonly HealthDesk health;
    private readonly CpuReader cpus;
    private readonly ImpactRecorder recorder;
    private readonly StoredPatch copy;
    private readonly Executor executor;

    public ExecutorTests()
    {
        bench = loop.Bench;
        journal = bench.Journal();
        desks = new DeskBench(bench);
        health = new HealthDesk(BusAddress.At($"unix:path={bench.Files.Path("/nobody")}"), bench.Root, bench.Clock, static () => { }, bench.Log);
        cpus = new CpuReader(bench.Root);
        recorder = new ImpactRecorder(new Machine().Read, bench.Clock, new HistoryBook(new AppendLog(bench.Root, HistoryBook.Path), bench.Log), bench.Log);
        var (window, store) = (new KernelLogWindow(), new PatchStore(bench.Root));
        loop.Drop(Patch);
        copy = store.Intake(bench.Root, $"{LoopBench.PatchDirectory}/{Patch.FileName}").Stored!;
        executor = new Executor(
            loop.Kernel, store, journal, worker, files, new LoadPlacer(cpus), window,
            new ProbationDesk(health, window, desks.Gates, journal, bench.Clock, bench.Meter.Instruments, bench.Log),
            new ImpactFollower(recorder), new PreflightDesk(new PreflightReader(bench.Root), bench.Clock), bench.Meter.Instruments, bench.Log)
        {
            Stored = ImmutableDictionary<Sha256, StoredPatch>.Empty.Add(copy.Module.Digest, copy),
        };
    }

    public void Dispose()
    {
        held.Set();
        worker.Dispose();
        files.Dispose();
        recorder.Dispose();
        health.Dispose();
        cpus.Dispose();
        desks.Dispose();
        journal.Dispose();
        loop.Dispose();
    }

    private WantedPatch File => new(copy.Module, $"{LoopBench.PatchDirectory}/{Patch.FileName}");

    private PlanStep.Load Load => new(Given.One, copy.Module.Digest);

    private static PlanStep.Disable Disable => new(Given.One, Reason.RevertedByOperator);

    private string OnDisk => System.IO.File.ReadAllText(bench.Files.Path(JournalBook.Path));

    private PlannerInput Input => Given.Input(loop.Kernel.Observe([Given.One]), Given.Want(File), journal.Ledger, now: bench.Now);

    private bool Run(PlanStep step) => executor.Run(Given.Plan(step), Input);

    private WorkResult Collect()
    {
        WorkResult? result = null;
        Assert.True(SpinWait.SpinUntil(() => (result = worker.Collect()) is not null, Limit.Long));
        return result!;
    }

    /// <summary>To its end, as the loop does it.</summary>
    private WorkResult.Stepped Do(PlanStep step)
    {
        Assert.True(Run(step));
        var done = Assert.IsType<WorkResult.Stepped>(Collect());
        executor.Conclude(done, bench.Now);
        return done;
    }

    private void Loaded()
    {
        Do(Load);
        journal.Record(new JournalRecord(RecordKind.Activated, Given.One, Bench.Boot, bench.Now, copy.Module.Digest));
    }

    private FailureMark? RevertFailure => journal.Ledger.RevertFailures.GetValueOrDefault(Given.One);

    [Fact]
    public void Run_Load_IntentIsOnDiskBeforeTheKernelIsAsked()
    {
        var before = "";
        loop.Kernel.BeforeLoad = () => before = OnDisk;
        Do(Load);
        Assert.Contains("LoadIntent", before, StringComparison.Ordinal);
        Assert.DoesNotContain("Loaded", before, StringComparison.Ordinal);
        var owned = journal.Ledger.Owned[Given.One];
        Assert.Equal((copy.Module.Digest, File.Path, true), (owned.Digest, owned.Path, owned.IsLoaded));
        Assert.NotNull(owned.Baseline);
        Assert.Equal(["load lp_one ok"], loop.Kernel.Calls);
        Assert.Equal(1, bench.Meter.Value("livepatchd_load_duration_seconds_count"));
    }

    [Fact]
    public void Tell_AfterAStep_OnceWithWhereItWasMade()
    {
        Do(Load);
        Assert.Equal(0, bench.Said.Count("load took"));
        executor.Tell();
        executor.Tell();
        Assert.Equal(1, bench.Said.Count("lp_one: load took"));
        Assert.Equal(1, bench.Said.Count("Loaded on"));
    }

    [Fact]
    public void Run_JournalCannotBeWritten_KernelIsNotAsked()
    {
        bench.BreakState();
        foreach (var step in new PlanStep[] { Load, Disable, new PlanStep.Reverse(Given.One, Reason.TransitionStalled), new PlanStep.Reenable(Given.One, Reason.TransitionStalled), new PlanStep.Force(Given.One) })
            Assert.False(Run(step), step.Action);
        Assert.False(worker.IsBusy);
        Assert.Empty(loop.Kernel.Calls);
    }

    [Fact]
    public void Run_NoVerifiedCopy_NothingIsBegun()
    {
        executor.Stored = executor.Stored.Clear();
        Assert.False(Run(Load));
        Assert.DoesNotContain("LoadIntent", OnDisk, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_NothingPlanned_False()
    {
        Assert.False(executor.Run(Given.Plan(), Input));
        Assert.False(Run(new PlanStep.Await(Given.One)));
    }

    [Fact]
    public void Run_WorkerBusy_Waits()
    {
        worker.Start(null, () =>
        {
            held.Wait(Limit.Long);
            return new WorkResult.Surveyed(null);
        });
        Assert.False(Run(Load));
    }

    [Fact]
    public void Run_ScanUnderWay_OnlyWhatIsUrgentGoesBeforeIt()
    {
        loop.Kernel.Busy = true;
        Do(Load);
        files.Start(null, () =>
        {
            held.Wait(Limit.Long);
            return new WorkResult.Surveyed(null);
        });
        Assert.False(Run(Disable));
        Assert.True(Run(new PlanStep.Reverse(Given.One, Reason.TransitionStalled)));
        Collect();
        Assert.Equal(["load lp_one ok", "disable lp_one ok"], loop.Kernel.Calls);
    }

    [Fact]
    public void Conclude_KernelRefusesTheLoad_FailureWithItsErrno()
    {
        loop.Kernel.Refuse("lp_one", Errno.ENOMEM);
        Do(Load);
        var failure = journal.Ledger.Failures[copy.Module.Digest];
        Assert.Equal((Reason.OutOfMemory, Errno.ENOMEM, 1), (failure.Reason, failure.Errno, failure.Count));
        Assert.Empty(journal.Ledger.Owned);
        Assert.Equal(1, bench.Said.Count("lp_one: load refused"));
    }

    [Fact]
    public void Conclude_CopyIsNotWhatWasVerified_KernelIsNotAsked()
    {
        var stored = bench.Files.Path(copy.StorePath);
        System.IO.File.SetUnixFileMode(stored, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        System.IO.File.AppendAllText(stored, "more");
        Do(Load);
        Assert.Equal(Reason.StoreUnavailable, journal.Ledger.Failures[copy.Module.Digest].Reason);
        Assert.Empty(loop.Kernel.Calls);
    }

    [Fact]
    public void Conclude_RefusalIsForeseen_KernelIsNotAskedAndNoFailureCounts()
    {
        var needy = copy with { Module = copy.Module with { Info = copy.Module.Info with { Depends = ["veth"] } } };
        executor.Stored = executor.Stored.SetItem(copy.Module.Digest, needy);
        Do(Load);
        Assert.Empty(loop.Kernel.Calls);
        Assert.Empty(journal.Ledger.Owned);
        Assert.Empty(journal.Ledger.Failures);
        Assert.Equal(1, bench.Said.Count("lp_one: not loaded: module veth is not loaded"));
        Assert.Equal(0, bench.Meter.Value("livepatchd_load_duration_seconds_count"));
    }

    [Fact]
    public void Run_Disable_IntentThenTheWrite()
    {
        Loaded();
        Do(Disable);
        Assert.NotNull(journal.Ledger.Owned[Given.One].DisabledAt);
        Assert.Equal("disable lp_one ok", loop.Kernel.Calls[^1]);
        Assert.Null(RevertFailure);
    }

    [Fact]
    public void Conclude_DisableRefusedWhileActive_RevertHasFailed()
    {
        Loaded();
        loop.Kernel.RefuseDisable = Errno.EBUSY;
        Do(Disable);
        Assert.Equal((Reason.RevertRefused, Errno.EBUSY), (RevertFailure!.Reason, RevertFailure.Errno));
    }

    [Fact]
    public void Conclude_SomebodyElseWasQuicker_IsNoFailure()
    {
        Loaded();
        loop.Kernel.HoldsFree = true;
        loop.Kernel.DisableByHand("lp_one");
        Do(Disable);
        Assert.Equal("disable lp_one EINVAL", loop.Kernel.Calls[^1]);
        Assert.Null(RevertFailure);
    }

    [Fact]
    public void Conclude_ModuleStillHeld_IsNoFailure()
    {
        Loaded();
        loop.Kernel.Hold("lp_one");
        Do(new PlanStep.Unload(Given.One, Reason.RevertedByOperator));
        Assert.Equal("unload lp_one EAGAIN", loop.Kernel.Calls[^1]);
        Assert.Null(RevertFailure);
    }

    [Fact]
    public void Run_ReverseThenReenable_EachWrittenDownFirst()
    {
        loop.Kernel.Busy = true;
        Do(Load);
        Do(new PlanStep.Reverse(Given.One, Reason.TransitionStalled));
        Assert.NotNull(journal.Ledger.Owned[Given.One].DisabledAt);
        Assert.Equal(1, journal.Ledger.Failures[copy.Module.Digest].Reversals);
        Do(new PlanStep.Reenable(Given.One, Reason.TransitionStalled));
        Assert.Null(journal.Ledger.Owned[Given.One].DisabledAt);
        Assert.Equal(["load lp_one ok", "disable lp_one ok", "enable lp_one ok"], loop.Kernel.Calls);
    }

    [Fact]
    public void Conclude_ForceFails_BootStaysMarked()
    {
        Loaded();
        Do(new PlanStep.Force(Given.One));
        Assert.Contains(Given.One, journal.Ledger.Forced);
        Assert.Equal(1, bench.Said.Count("lp_one: force failed: write: EINVAL"));
        Assert.Null(RevertFailure);
    }

    [Fact]
    public void Run_Adopt_OursWithoutACall()
    {
        loop.Kernel.Insmod(Patch);
        Assert.True(Run(new PlanStep.Adopt(Given.One, copy.Module.Digest)));
        Assert.Equal(PatchOrigin.Adopted, journal.Ledger.Owned[Given.One].Origin);
        Assert.Empty(loop.Kernel.Calls);
        Assert.False(worker.IsBusy);
    }

    [Fact]
    public void Lost_InsideAStep_RevertHasFailedAndALoadIsLeftToTheProbation()
    {
        Loaded();
        executor.Lost(Disable, bench.Now);
        Assert.Equal(Reason.RevertRefused, RevertFailure!.Reason);
        executor.Lost(Load, bench.Now);
        Assert.Contains(Given.One, journal.Ledger.Owned.Keys);
        executor.Lost(null, bench.Now);
        Assert.Equal(3, bench.Said.Count("the kernel ended the thread inside"));
    }

    [Fact]
    public void Broke_LoadThatHasNotComeAbout_CountsAsFailed()
    {
        journal.Record(new JournalRecord(RecordKind.LoadIntent, Given.One, Bench.Boot, bench.Now, copy.Module.Digest));
        executor.Broke(null, bench.Now);
        executor.Broke(Disable, bench.Now);
        Assert.NotEmpty(journal.Ledger.Owned);
        executor.Broke(Load, bench.Now);
        Assert.Empty(journal.Ledger.Owned);
        Assert.Equal(1, journal.Ledger.Failures[copy.Module.Digest].Count);
    }

    [Fact]
    public void Broke_LoadThatIsInTheKernel_StaysOurs()
    {
        Loaded();
        executor.Broke(Load, bench.Now);
        Assert.Contains(Given.One, journal.Ledger.Owned.Keys);
        Assert.Empty(journal.Ledger.Failures);
    }
}
