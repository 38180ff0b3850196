// observed × desired × ledger × settings × now → plan. Total, deterministic, no I/O: the heart of the daemon.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Gates;

namespace LivePatchd.Core.Planning;

public static class Planner
{
    private const int UrgentRank = 1;

    public static Plan Decide(PlannerInput input)
    {
        var assessments = Situation.Gather(input)
            .Select(s => Assessor.Assess(s, input))
            .OfType<Assessment>()
            .ToImmutableArray();
        if (input.Busy is not null || input.Seen.InTransition is not null)
            assessments = [.. assessments.Select(a => Defer(a, input))];

        var steps = assessments.SelectMany(a => a.Steps).OrderBy(s => Rank(s, input)).ToImmutableArray();
        if (input.Seen.InTransition is { } running && !steps.Any(s => s.Name == running.Name))
            steps = steps.Add(new PlanStep.Await(running.Name));
        var verdicts = assessments.Select(a => a.Verdict).ToImmutableArray();
        return new Plan(
            steps,
            [.. verdicts.Where(IsHold).Select(v => new Hold(v.Name, v.Reason!.Value, v.RetryAt))],
            verdicts,
            WakeAt(assessments, input));
    }

    /// <summary>
    /// The kernel allows one transition at a time, and one step runs at a time: what would start another
    /// waits and says so. Reversal of the running one, removal of dead modules and adoption need no transition.
    /// </summary>
    private static Assessment Defer(Assessment a, PlannerInput input)
    {
        if (a.Steps is not [PlanStep.Load or PlanStep.Disable, ..])
            return input.Busy is null ? a : a with { Steps = [.. a.Steps.Where(s => s is PlanStep.Await)] };
        var queued = a.Verdict.Event is LifecycleEvent.Ready && input.Seen.InTransition is not null;
        return a with { Steps = [], Verdict = queued ? a.Verdict with { Reason = Reason.TransitionInProgress, Detail = $"{input.Seen.InTransition!.Name} is in transition" } : a.Verdict };
    }

    /// <summary>Somebody waits: to get in, or, at a gate, to get out.</summary>
    private static bool IsHold(Verdict v) => v.Reason is { } reason
        && (v.Event is LifecycleEvent.Blocked
            || v.Event is LifecycleEvent.Ready && reason is not (Reason.DeferralExhausted or Reason.BootStuck or Reason.Fallback)
            || v.Event is LifecycleEvent.Patched or LifecycleEvent.OnProbation && GateReasons.Contains(reason));

    /// <summary>It turns a transition back, or takes out what must go: nothing that reads files holds it up.</summary>
    public static bool IsUrgent(PlanStep step, PlannerInput input) => Rank(step, input) <= UrgentRank;

    /// <summary>
    /// Reversals first, then what must go for cause, then what needs no transition, then removals, then loads; a load that makes others
    /// superfluous goes before their removal, so that there is no unpatched moment between.
    /// </summary>
    private static int Rank(PlanStep step, PlannerInput input) => step switch
    {
        PlanStep.Reverse or PlanStep.Reenable or PlanStep.Force => 0,
        _ when Emergency.IsUrgent(step, input) => UrgentRank,
        PlanStep.Adopt => 2,
        PlanStep.Unload when input.Seen.Find(step.Name) is { Directory: false } => 3,
        PlanStep.Await => 4,
        PlanStep.Load when Succeeds(step.Name, input) => 5,
        PlanStep.Disable => 6,
        PlanStep.Unload => 7,
        _ => 8,
    };

    private static bool Succeeds(PatchName name, PlannerInput input) =>
        input.Want.Wanted.FirstOrDefault(w => w.Name == name)?.Manifest is { Replaces.IsEmpty: false } manifest
        && manifest.Replaces.Any(r => r != name && input.Seen.Find(r) is { Directory: true });

    private static Instant? WakeAt(ImmutableArray<Assessment> assessments, PlannerInput input)
    {
        Instant? wake = null;
        void Consider(Instant? at)
        {
            if (at is { } candidate && (wake is not { } best || candidate.IsBefore(best)))
                wake = candidate;
        }

        foreach (var a in assessments)
        {
            Consider(a.Verdict.RetryAt);
            if (a.LookAgain is { } span)
                Consider(input.Now.After(span));
        }
        if (input.Seen.InTransition is not null)
            Consider(input.Now.After(TimeSpan.FromSeconds(1)));
        return wake;
    }
}
