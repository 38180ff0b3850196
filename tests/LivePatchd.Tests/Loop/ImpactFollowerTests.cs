// Where the phases of an operation begin and end: by the steps that are taken, and by what the next looks show.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Core.Recovery;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class ImpactFollowerTests : IDisposable
{
    private static readonly SysResult Refused = SysResult.Fail(Errno.EBUSY, "write");
    private static readonly PlanStep.Load Load = new(Given.One, Given.Digest);
    private static readonly PlanStep.Reverse Reverse = new(Given.One, Reason.TransitionStalled, "cat (1)");
    private static readonly PlanStep.Disable Disable = new(Given.One, Reason.RevertedByOperator);

    private readonly Bench bench = new();
    private readonly ImpactRecorder recorder;
    private readonly ImpactFollower follower;
    private readonly SkippingTime time = new();

    public ImpactFollowerTests()
    {
        recorder = new ImpactRecorder(new Machine().Read, new MonotonicClock(time), new HistoryBook(new AppendLog(bench.Root, HistoryBook.Path), bench.Log), bench.Log);
        follower = new ImpactFollower(recorder);
    }

    public void Dispose()
    {
        recorder.Dispose();
        bench.Dispose();
    }

    private void Look(KernelPatchState? state, Ledger? ledger = null, PlanStep? busy = null) => follower.Look(
        Given.Input(state is { } s ? Given.Seen(Given.Loaded(s)) : Given.Seen(), ledger: ledger) with { Busy = busy is null ? null : new Busy(busy) });

    private (Operation, ImpactPhase)? Running => recorder.Running is { } r ? (r.Operation, r.Phase) : null;

    /// <summary>What was written of the operation that has ended.</summary>
    private async Task<HistoryEntry> Entry()
    {
        recorder.Start();
        await Limit.Until(
            () =>
            {
                time.Skip(TimeSpan.FromSeconds(1));
                return !recorder.History.IsEmpty;
            },
            () => bench.Said.Text);
        return Assert.Single(recorder.History);
    }

    [Fact]
    public async Task Look_LoadBecomesActive_Done()
    {
        follower.Starts(Load, Given.Digest, null);
        Assert.Equal((Operation.Apply, ImpactPhase.Load), Running);
        Look(KernelPatchState.Enabling, busy: Load);
        Assert.Equal((Operation.Apply, ImpactPhase.Load), Running);
        follower.Returned(Load, SysResult.Success);
        Assert.Equal((Operation.Apply, ImpactPhase.Transition), Running);
        Look(KernelPatchState.Enabling);
        Look(KernelPatchState.Active);
        Assert.Null(Running);
        var entry = await Entry();
        Assert.Equal((OperationResult.Done, null), (entry.Result, entry.Why));
    }

    [Fact]
    public async Task Returned_LoadRefused_Failed()
    {
        follower.Starts(Load, Given.Digest, null);
        follower.Returned(Load, Refused);
        Assert.Null(Running);
        Assert.Equal(OperationResult.Failed, (await Entry()).Result);
    }

    private static QuarantineMark Evidence { get; } = new(Given.One, Reason.KernelOops, "BUG: at one", default, "boot") { Grade = EvidenceGrade.Suspect };

    [Fact]
    public async Task Look_ApplyTakenBack_ReversedWithItsCause()
    {
        follower.Starts(Load, Given.Digest, null);
        follower.Returned(Load, SysResult.Success);
        follower.Starts(Reverse, Given.Digest, Evidence);
        Assert.Equal((Operation.Apply, ImpactPhase.Revert), Running);
        follower.Returned(Reverse, SysResult.Success);
        Look(KernelPatchState.Disabling);
        Look(null);
        var entry = await Entry();
        Assert.Equal((OperationResult.Reversed, Reason.TransitionStalled, "cat (1)"), (entry.Result, entry.Why, entry.Detail));
    }

    [Fact]
    public void Returned_ReversalRefused_TransitionGoesOn()
    {
        follower.Starts(Load, Given.Digest, null);
        follower.Returned(Load, SysResult.Success);
        follower.Starts(Reverse, Given.Digest, null);
        follower.Returned(Reverse, Refused);
        Assert.Equal((Operation.Apply, ImpactPhase.Transition), Running);
    }

    [Fact]
    public async Task Look_DisabledPatchIsOut_DoneWithTheEvidence()
    {
        follower.Starts(Disable, Given.Digest, Evidence);
        Assert.Equal((Operation.Revert, ImpactPhase.Revert), Running);
        follower.Returned(Disable, SysResult.Success);
        Look(KernelPatchState.Disabling);
        Assert.NotNull(Running);
        Look(KernelPatchState.Unused);
        var entry = await Entry();
        Assert.Equal((Operation.Revert, OperationResult.Done), (entry.Operation, entry.Result));
        Assert.Equal((Reason.RevertedByOperator, "BUG: at one", EvidenceGrade.Suspect), (entry.Why, entry.Detail, entry.Grade));
    }

    [Fact]
    public async Task Returned_DisableRefused_LeavesNoEntry()
    {
        follower.Starts(Disable, Given.Digest, null);
        follower.Returned(Disable, Refused);
        Assert.Null(Running);
        follower.Starts(Load, Given.Digest, null);
        follower.Returned(Load, Refused);
        Assert.Equal(Operation.Apply, (await Entry()).Operation);
    }

    [Fact]
    public async Task Look_DisableTakenBack_Reversed()
    {
        follower.Starts(Disable, Given.Digest, null);
        follower.Returned(Disable, SysResult.Success);
        follower.Starts(new PlanStep.Reenable(Given.One, Reason.TransitionStalled), Given.Digest, null);
        Assert.Equal((Operation.Revert, ImpactPhase.Revert), Running);
        Look(KernelPatchState.Enabling);
        Look(KernelPatchState.Active);
        Assert.Equal((Operation.Revert, OperationResult.Reversed), ((await Entry()).Operation, (await Entry()).Result));
    }

    [Theory]
    [InlineData(KernelPatchState.Enabling, Operation.Apply, ImpactPhase.Transition)]
    [InlineData(KernelPatchState.Disabling, Operation.Revert, ImpactPhase.Revert)]
    public void Look_TransitionOfAnEarlierProcess_MeasuredFromHere(KernelPatchState state, object operation, object phase)
    {
        Look(state, Given.Ledger(Given.Record(RecordKind.LoadIntent)));
        Assert.Equal(((Operation)operation, (ImpactPhase)phase), Running);
    }

    [Fact]
    public void Look_TransitionOfSomebodyElse_NotMeasured()
    {
        Look(KernelPatchState.Enabling);
        Assert.Null(Running);
    }

    [Fact]
    public void Returned_OfAnotherPatch_ChangesNothing()
    {
        follower.Starts(Load, Given.Digest, null);
        follower.Returned(new PlanStep.Load(Given.Two, Given.OtherDigest), Refused);
        Assert.Equal((Operation.Apply, ImpactPhase.Load), Running);
    }

    [Fact]
    public void Starts_Unload_IsNoOperation()
    {
        follower.Starts(new PlanStep.Unload(Given.One, Reason.RevertedByOperator), Given.Digest, null);
        Assert.Null(Running);
    }
}
