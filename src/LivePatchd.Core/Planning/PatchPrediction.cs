// What will become of each patch if nothing else changes: the plan in one word a patch, with the reason and the kernel's answer foreseen.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Core.Planning;

public enum PredictedOutcome
{
    /// <summary>A step of the plan loads or adopts it, and nothing is known that stands against that.</summary>
    Loads,

    /// <summary>It is in the kernel and stays there.</summary>
    Loaded,

    /// <summary>It waits: for time, for others, or for somebody.</summary>
    Held,

    /// <summary>It is not loaded, and waiting does not change that.</summary>
    Refused,

    /// <summary>A step of the plan takes it out, or it is on its way out.</summary>
    Leaves,

    /// <summary>A call or a transition of it is running.</summary>
    UnderWay,

    /// <summary>Out of the kernel, and meant to be, or not ours.</summary>
    LeftAlone,

    /// <summary>Nobody could look at the running kernel.</summary>
    Unknown,
}

/// <param name="Path">The file that asks for it; null when none does.</param>
/// <param name="KernelAnswer">What finit_module would say if it were asked now; null when it is not known, or would succeed.</param>
public sealed record PatchPrediction(
    PatchName? Name,
    string? Path,
    Sha256? Digest,
    PredictedOutcome Outcome,
    Reason? Reason,
    string? Detail,
    Errno? KernelAnswer,
    ImmutableArray<PreflightNote> Notes)
{
    /// <summary>Of every patch in view, and of every file that was refused without a name.</summary>
    public static ImmutableArray<PatchPrediction> All(PlannerInput input, Plan plan)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(plan);
        return
        [
            .. plan.Verdicts.Select(v => Of(v, input, plan)),
            .. input.Want.Refused.Where(static r => r.Name is null).Select(static r =>
                new PatchPrediction(null, r.Path, null, PredictedOutcome.Refused, r.Reason, r.Detail, KernelAnswers.To(r.Reason), [])),
        ];
    }

    private static PatchPrediction Of(Verdict verdict, PlannerInput input, Plan plan)
    {
        var steps = plan.Steps.Where(s => s.Name == verdict.Name).ToList();
        var wanted = input.Want.Wanted.FirstOrDefault(w => w.Name == verdict.Name);
        var outcome =
            steps.Exists(static s => s is PlanStep.Load or PlanStep.Adopt) ? PredictedOutcome.Loads
            : steps.Exists(static s => s is PlanStep.Disable or PlanStep.Unload) ? PredictedOutcome.Leaves
            : Of(verdict);
        var detail = verdict.Detail;
        // Nothing is wanted in its place: once its successor is out, the older one comes back.
        if (verdict.Event is LifecycleEvent.Replaced && input.Ledger.Superseded.GetValueOrDefault(verdict.Name) is { } mark && Goes(mark.By, input, plan) && !input.Ledger.Reverted.Contains(verdict.Name))
            (outcome, detail) = (PredictedOutcome.Loads, $"when {mark.By} is out");
        var comes = outcome is PredictedOutcome.Loads or PredictedOutcome.Held or PredictedOutcome.Refused;
        return new PatchPrediction(
            verdict.Name,
            verdict.Path ?? wanted?.Path,
            verdict.Digest,
            outcome,
            verdict.Reason,
            detail,
            outcome is PredictedOutcome.Held or PredictedOutcome.Refused && verdict.Reason is { } reason ? KernelAnswers.To(reason) : null,
            [.. comes && wanted is not null ? Admission.Foresee(wanted.Module, input).Notes : [], .. Ignored(wanted?.Manifest)]);
    }

    private static ImmutableArray<PreflightNote> Ignored(Manifest? manifest) => manifest is { Ignored: { IsEmpty: false } keys }
        ? [new(PreflightNoteKind.ManifestIgnored, $"its manifest is not signed, so these keys are ignored: {string.Join(", ", keys)}")]
        : [];

    private static bool Goes(PatchName name, PlannerInput input, Plan plan) =>
        plan.Steps.Any(s => s.Name == name && s is PlanStep.Disable { Why: not Model.Reason.NewVersion })
        || input.Ledger.Reverted.Contains(name) && plan.Verdicts.Any(v => v.Name == name && v.Event is LifecycleEvent.Leaving or LifecycleEvent.Patched or LifecycleEvent.OnProbation);

    private static PredictedOutcome Of(Verdict verdict) => verdict.Event switch
    {
        // The daemon's own hands are full for the moment.
        LifecycleEvent.Ready when verdict.Reason is null => PredictedOutcome.Loads,
        LifecycleEvent.Ready or LifecycleEvent.Blocked => PredictedOutcome.Held,
        LifecycleEvent.Refused or LifecycleEvent.Quarantined or LifecycleEvent.CannotPatch => PredictedOutcome.Refused,
        LifecycleEvent.Patched or LifecycleEvent.OnProbation or LifecycleEvent.PinnedByForce => PredictedOutcome.Loaded,
        LifecycleEvent.Leaving => PredictedOutcome.Leaves,
        LifecycleEvent.LoadCalled or LifecycleEvent.Enabling or LifecycleEvent.Overdue or LifecycleEvent.Cancelling => PredictedOutcome.UnderWay,
        _ => PredictedOutcome.LeftAlone,
    };
}

public static class PredictedOutcomes
{
    public static string Word(this PredictedOutcome outcome) => outcome switch
    {
        PredictedOutcome.Loads => "loads",
        PredictedOutcome.Loaded => "loaded",
        PredictedOutcome.Held => "held",
        PredictedOutcome.Refused => "refused",
        PredictedOutcome.Leaves => "leaves",
        PredictedOutcome.UnderWay => "under-way",
        PredictedOutcome.LeftAlone => "left-alone",
        PredictedOutcome.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };
}
