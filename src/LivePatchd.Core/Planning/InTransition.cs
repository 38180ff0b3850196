// A transition of ours that is running: let it run, report that it stalls, or take it back.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Planning;

/// <summary>Never gated: to take a transition back is to leave the machine alone. `force` is an operator's alone.</summary>
internal static class InTransition
{
    public static Assessment Enabling(Situation s, PlannerInput input)
    {
        var owned = s.Owned!;
        if (MayForce(s, input))
            return Forcing(s);
        var deadlines = StallDeadlines.For(input.Settings.Transition, input.Size);
        // Once active, it can only be a disable that we took back, or one that has just begun: the kernel opens the transition before it
        // clears `enabled` (__klp_disable_patch in kernel/livepatch/core.c).
        if (owned.ActiveAt is not null)
        {
            if (!input.Ledger.RevertFailures.TryGetValue(s.Name, out var taken))
                return Awaited(s, LifecycleEvent.Leaving, Assessor.WhyLeaving(s, input) ?? Reason.DisabledByHand);
            return Awaited(s, LifecycleEvent.Cancelling, input.Now.Since(taken.LastAt) >= deadlines.Report ? Reason.TransitionOverdue : Reason.TransitionStalled);
        }
        // The call itself is the load, not the transition: it may take long on a busy host.
        var age = input.Now.Since(owned.LoadedAt ?? owned.StartedAt);
        if (WhyTakeBack(s, input, age, deadlines) is { } why)
        {
            if (input.Bar is { } bar)
                return new(Assessor.About(s, LifecycleEvent.Enabling, bar), [], Assessor.CoarseLook);
            if (Assessor.RevertPause(s, input) is null)
                return new(Assessor.About(s, LifecycleEvent.Cancelling, why.Reason, detail: why.Detail), [new PlanStep.Reverse(s.Name, why.Reason, why.Detail)], Assessor.CoarseLook);
        }
        return age >= deadlines.Report
            ? Awaited(s, LifecycleEvent.Overdue, Reason.TransitionOverdue)
            : Awaited(s, LifecycleEvent.Enabling, null);
    }

    /// <summary>
    /// A disable that does not end is taken back as well: a host between two states lets no other patch in, and the old state is one that
    /// is known to work. The revert is tried again after a pause, like an apply.
    /// </summary>
    public static Assessment Disabling(Situation s, PlannerInput input)
    {
        var owned = s.Owned!;
        if (MayForce(s, input))
            return Forcing(s);
        var deadlines = StallDeadlines.For(input.Settings.Transition, input.Size);
        // Of a disable by somebody else's hand the beginning is not known, and it is not ours to take back.
        var age = owned.DisabledAt is { } since ? input.Now.Since(since) : TimeSpan.Zero;
        var overdue = age >= deadlines.Report;
        if (owned.ActiveAt is null)
            return Awaited(s, LifecycleEvent.Cancelling, overdue ? Reason.TransitionOverdue : TakenBack(s, input)?.Reason ?? Assessor.WhyLeaving(s, input));
        if (age >= deadlines.Reverse && input.Bar is null)
        {
            var detail = Open(age, deadlines);
            return new(
                Assessor.About(s, LifecycleEvent.Cancelling, Reason.TransitionStalled, detail: detail),
                [new PlanStep.Reenable(s.Name, Reason.TransitionStalled, detail)],
                Assessor.CoarseLook);
        }
        return Awaited(s, LifecycleEvent.Leaving, overdue ? Reason.TransitionOverdue : Assessor.WhyLeaving(s, input));
    }

    /// <summary>Why policy is taking this load back, while it does; null when it is not.</summary>
    public static FailureMark? TakenBack(Situation s, PlannerInput input) =>
        s.Owned is { DisabledAt: not null, ActiveAt: null } owned
        && input.Ledger.Failures.Of(owned.Identity) is { } mark && Stalls.Contains(mark.Reason)
            ? mark
            : null;

    private static (Reason Reason, string? Detail)? WhyTakeBack(Situation s, PlannerInput input, TimeSpan age, StallDeadlines deadlines)
    {
        if (Assessor.Unwanted(s, input) is { } unwanted)
            return (unwanted, null);
        if (input.NeverCompletes is { } proof && proof.Patch == s.Name)
            return (Reason.NeverCompletes, proof.Detail);
        if (input.Abort is { } pressure && pressure.Patch == s.Name && s.Wanted?.Manifest?.Severity is not Severity.Critical)
            return (Reason.AbortedUnderPressure, pressure.Detail);
        if ((age >= deadlines.Report || !MayReplaceAll(s, input)) && Emergency.InNeedOfTheKernel(s.Name, input) is { } bad)
            return (Reason.MadeWay, $"for {bad}");
        return age >= deadlines.Reverse ? (Reason.TransitionStalled, Open(age, deadlines)) : null;
    }

    /// <summary>Whatever must go, goes with the transition of a cumulative patch: that one is given its time.</summary>
    private static bool MayReplaceAll(Situation s, PlannerInput input) =>
        (input.Seen.Find(s.Name)?.Replace ?? s.Wanted?.Module.Footprint?.Tables?.Replace) is not false;

    /// <summary>For an operator who names the report of this very transition's blockers; a kill switch is stronger.</summary>
    internal static bool MayForce(Situation s, PlannerInput input) =>
        input.Bar is null && input.ForceAsked is { } asked && asked.Patch == s.Name && asked.Token == input.BlockersToken;

    private static string Open(TimeSpan age, StallDeadlines deadlines) =>
        FormattableString.Invariant($"open for {age.TotalSeconds:0} s, the limit is {deadlines.Reverse.TotalSeconds:0} s");

    internal static Assessment Forcing(Situation s) =>
        new(Assessor.About(s, LifecycleEvent.Overdue, Reason.TransitionOverdue), [new PlanStep.Force(s.Name)], Assessor.CoarseLook);

    private static Assessment Awaited(Situation s, LifecycleEvent e, Reason? reason) =>
        new(Assessor.About(s, e, reason), [new PlanStep.Await(s.Name)], Assessor.CoarseLook);
}
