// A patch that somebody took out by hand: left out, or restored a few times with growing pauses, and what the plan predicts of each.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

public sealed class DriftPolicyTests
{
    private static readonly WantedPatch Patch = ModelHost.File("lp_a", 1);
    private static readonly Instant Start = new(TimeSpan.FromHours(1), DateTimeOffset.UnixEpoch);
    private static readonly KernelFacts Kernel = new("6.12.0", "boot", true, true, true, false, LockdownLevel.None, false, 0, 0, 0);

    [Theory]
    [InlineData(AfterDrift.Report, 1, 0, false)]
    [InlineData(AfterDrift.Report, 1, 1000, false)]
    [InlineData(AfterDrift.Restore, 1, 0, true)]
    [InlineData(AfterDrift.Restore, 2, 0, false)]
    [InlineData(AfterDrift.Restore, 2, 4, false)]
    [InlineData(AfterDrift.Restore, 2, 6, true)]
    [InlineData(AfterDrift.Restore, 3, 9, false)]
    [InlineData(AfterDrift.Restore, 3, 11, true)]
    [InlineData(AfterDrift.Restore, 4, 100_000, false)]
    public void Taken_out_so_often(AfterDrift policy, int times, int minutesLater, bool restored)
    {
        var plan = Planner.Decide(Input(policy, Drifted(times), Start.After(TimeSpan.FromMinutes(minutesLater))));
        Assert.Equal(restored, plan.Steps is [PlanStep.Load]);
        if (restored)
            return;
        var verdict = Assert.Single(plan.Verdicts);
        Assert.Equal((LifecycleEvent.Blocked, Reason.DisabledByHand), (verdict.Event, verdict.Reason));
        Assert.Equal(policy is AfterDrift.Restore && times <= 3, verdict.RetryAt is not null);
    }

    [Fact]
    public void An_operators_apply_and_other_bytes_begin_anew()
    {
        var ledger = Drifted(3);
        Assert.Equal(3, ledger.Drifts[Patch.Name].Count);
        Assert.Empty(LedgerFold.Apply(ledger, Record(RecordKind.OperatorApplied)).Drifts);
        var other = LedgerFold.Apply(ledger, Record(RecordKind.DisabledByHand) with { Digest = ModelHost.Digest("lp_a", 2) });
        Assert.Equal(1, other.Drifts[Patch.Name].Count);
    }

    [Fact]
    public void Every_verdict_has_an_outcome_and_the_kernels_answer()
    {
        var input = Input(AfterDrift.Report, Drifted(1), Start);
        var held = Assert.Single(PatchPrediction.All(input, Planner.Decide(input)));
        Assert.Equal((PredictedOutcome.Held, Reason.DisabledByHand, (Errno?)null), (held.Outcome, held.Reason, held.KernelAnswer));

        input = Input(AfterDrift.Report, Ledger.Empty("boot"), Start);
        Assert.Equal(PredictedOutcome.Loads, Assert.Single(PatchPrediction.All(input, Planner.Decide(input))).Outcome);

        input = input with { Seen = new ObservedState(Kernel with { FtraceEnabled = false }, []) };
        var sysctl = Assert.Single(PatchPrediction.All(input, Planner.Decide(input)));
        Assert.Equal((PredictedOutcome.Held, Reason.FtraceDisabled, Errno.EBUSY), (sysctl.Outcome, sysctl.Reason, sysctl.KernelAnswer));

        input = input with
        {
            Seen = new ObservedState(Kernel with { SignatureEnforced = true }, []),
            Want = input.Want with { Refused = [new RefusedFile("/p/x.ko", null, Reason.TruncatedFile, "cut")] },
        };
        var predicted = PatchPrediction.All(input, Planner.Decide(input));
        Assert.Equal(
            [(PredictedOutcome.Refused, Reason.SignatureRequired, Errno.EKEYREJECTED), (PredictedOutcome.Refused, Reason.TruncatedFile, Errno.ENOEXEC)],
            predicted.Select(p => (p.Outcome, p.Reason!.Value, p.KernelAnswer!.Value)));
        Assert.Equal("/p/x.ko", predicted[1].Path);
    }

    /// <summary>What the kernel is said to answer for a reason is what its answer is classified as, wherever errno alone decides.</summary>
    [Theory]
    [InlineData(Reason.NameInUse)]
    [InlineData(Reason.OutOfMemory)]
    [InlineData(Reason.SignatureRequired)]
    [InlineData(Reason.SignatureInvalid)]
    [InlineData(Reason.FtraceConflict)]
    [InlineData(Reason.UnknownSymbol)]
    [InlineData(Reason.ModuleFormatRefused)]
    public void Foresight_and_hindsight_agree(Reason reason) =>
        Assert.Equal(reason, FailureClassifier.Load(Patch.Name, KernelAnswers.To(reason)!.Value, [], Kernel, transitionRunning: false).Reason);

    private static Ledger Drifted(int times)
    {
        var ledger = Ledger.Empty("boot");
        for (var i = 0; i < times; i++)
        {
            foreach (var kind in (RecordKind[])[RecordKind.LoadIntent, RecordKind.Loaded, RecordKind.Activated, RecordKind.DisabledByHand, RecordKind.Gone])
                ledger = LedgerFold.Apply(ledger, Record(kind));
        }
        return ledger;
    }

    private static JournalRecord Record(RecordKind kind) => new(kind, Patch.Name, "boot", Start, Patch.Module.Digest, Patch.Module.BuildId, Patch.Path);

    private static PlannerInput Input(AfterDrift policy, Ledger ledger, Instant now) => new(
        new ObservedState(Kernel, []), new DesiredState([Patch], [], []), ledger, Settings.Default with { Drift = policy }, null, null, now);
}
