// Since when a transition runs: as seen, as this process began it, or as the journal of another process tells.
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class RunningTransitionTests
{
    private static readonly LoadedPatch Enabling = Given.Loaded(KernelPatchState.Enabling);
    private static readonly LoadedPatch Disabling = Given.Loaded(KernelPatchState.Disabling);
    private static readonly Ledger Loaded = Given.Ledger(Given.Record(RecordKind.LoadIntent, 1), Given.Record(RecordKind.Loaded, 2));

    private static RunningTransition? Next(RunningTransition? known, LoadedPatch? seen, Ledger ledger, bool busy = false) =>
        RunningTransition.Next(known, seen, ledger, busy, Given.At(100));

    [Fact]
    public void Next_NoneSeen_None() => Assert.Null(Next(new RunningTransition(Given.One, true, Given.Now), null, Loaded));

    [Fact]
    public void Next_SameAsKnown_KeepsItsBegin()
    {
        var known = new RunningTransition(Given.One, true, Given.At(50));
        Assert.Same(known, Next(known, Enabling, Loaded));
    }

    [Fact]
    public void Next_DirectionTurns_BeginsNow() =>
        Assert.Equal(new RunningTransition(Given.One, false, Given.At(100)), Next(new RunningTransition(Given.One, true, Given.At(50)), Disabling, Loaded));

    [Fact]
    public void Next_FoundAtStart_BeginsWhereTheJournalSays() =>
        Assert.Equal(new RunningTransition(Given.One, true, Given.At(2)), Next(null, Enabling, Loaded));

    [Fact]
    public void Next_FoundAtStartWithOpenIntent_BeginsAtTheIntent() =>
        Assert.Equal(Given.At(1), Next(null, Enabling, Given.Ledger(Given.Record(RecordKind.LoadIntent, 1)))!.Since);

    [Fact]
    public void Next_DisableFoundAtStart_BeginsAtItsIntent()
    {
        var ledger = Given.Ledger(Given.Record(RecordKind.LoadIntent, 1), Given.Record(RecordKind.Loaded, 2), Given.Record(RecordKind.Activated, 3), Given.Record(RecordKind.DisableIntent, 60));
        Assert.Equal(new RunningTransition(Given.One, false, Given.At(60)), Next(null, Disabling, ledger));
    }

    [Fact]
    public void Next_EnablingAgainAfterItWasActive_BeginsNow()
    {
        var ledger = Given.Ledger(Given.Record(RecordKind.LoadIntent, 1), Given.Record(RecordKind.Loaded, 2), Given.Record(RecordKind.Activated, 3));
        Assert.Equal(Given.At(100), Next(null, Enabling, ledger)!.Since);
    }

    [Fact]
    public void Next_CallInsideTheKernel_BeginsNow() => Assert.Equal(Given.At(100), Next(null, Enabling, Loaded, busy: true)!.Since);

    [Fact]
    public void Next_OfSomebodyElse_BeginsNow() => Assert.Equal(Given.At(100), Next(null, Enabling, Given.Ledger())!.Since);
}
