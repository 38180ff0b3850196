// A patch of ours that must go for cause: evidence against it, or nobody confirmed it in time. No gate is asked, and nothing goes before it.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Planning;

/// <param name="Quarantined">False: nobody confirmed it.</param>
internal sealed record Cause(Reason Reason, string? Detail, bool Quarantined);

internal static class Emergency
{
    public static Cause? Of(OwnedPatch? owned, Ledger ledger) =>
        owned is null ? null
        : ledger.Against(owned) is { } mark ? new(mark.Reason, mark.Detail, Quarantined: true)
        : ledger.IsUnconfirmed(owned.Name, owned.Identity) ? new(Reason.NotConfirmed, null, Quarantined: false)
        : null;

    /// <summary>Null when there is no cause, or the patch is out of use already: then its module is collected as any other.</summary>
    public static Assessment? Assess(Situation s, PlannerInput input) => Of(s.Owned, input.Ledger) is not { } cause
        ? null
        : s.Kernel switch
        {
            KernelPatchState.Enabling => Enabling(s, cause, input),
            KernelPatchState.Active => Active(s, cause, input),
            KernelPatchState.Disabling => Disabling(s, cause, input),
            _ => null,
        };

    /// <summary>
    /// The version that this patch replaced, when it may be loaded in its place: the kernel then exchanges the two at once, without an
    /// unpatched moment. Only where the manifest says that this is safe, and there is exactly one.
    /// </summary>
    public static WantedPatch? Previous(PatchName bad, PlannerInput input)
    {
        if (!input.Ledger.Owned.TryGetValue(bad, out var owned) || Of(owned, input.Ledger) is null
            || input.Seen.Find(bad) is not { State: KernelPatchState.Active }
            || FileOf(owned, input)?.Manifest?.Rollback is not Rollback.Safe)
            return null;
        var replaced = input.Ledger.Superseded.Where(m => m.Value.By == bad && m.Value.ByDigest is { } by && owned.Identity.Is(by)).ToList();
        // One that is still in the ledger has gone a moment ago: it cannot be loaded in this look, and nobody waits for the next one.
        if (replaced is not [var (name, old)] || input.Ledger.Owned.ContainsKey(name) || input.Ledger.Reverted.Contains(name) || input.Ledger.DisabledByHand.ContainsKey(name)
            || input.Ledger.Unconfirmed.TryGetValue(name, out var unconfirmed) && unconfirmed == old.Digest || input.Seen.Find(name) is { } loaded && loaded.State is not KernelPatchState.NotLoaded)
            return null;
        var files = input.Want.Wanted.Where(w => w.Name == name).ToList();
        return files.Count > 0 && files.All(f => f.Module.Identity.Is(old.Digest)) && Admission.Check(files[0], input) is null ? files[0] : null;
    }

    /// <summary>The load of this patch is a revert: it takes the place of one that must go.</summary>
    public static bool Restores(PatchName name, PlannerInput input) =>
        input.Ledger.Superseded.TryGetValue(name, out var mark) && Previous(mark.By, input)?.Name == name;

    /// <summary>This step takes out a patch that must go, or puts what is known to work in the place of one that went.</summary>
    public static bool IsUrgent(PlanStep step, PlannerInput input) => step switch
    {
        PlanStep.Disable => Of(input.Ledger.Owned.GetValueOrDefault(step.Name), input.Ledger) is not null,
        PlanStep.Load load => Restores(step.Name, input) || input.Want.Wanted.Any(w => w.InsteadOf is not null && w.Name == step.Name && w.Module.Digest == load.Digest),
        _ => false,
    };

    /// <summary>
    /// A patch that must go and could, were it not for the running transition of this other one: `__klp_disable_patch` answers EBUSY while any
    /// transition is open (kernel/livepatch/core.c).
    /// </summary>
    public static PatchName? InNeedOfTheKernel(PatchName running, PlannerInput input) => Situation.Gather(input)
        .Where(s => s.Name != running && s.Kernel is KernelPatchState.Active
            && Assess(s, input) is { Verdict.Event: LifecycleEvent.Leaving })
        .Select(s => (PatchName?)s.Name)
        .FirstOrDefault();

    /// <summary>
    /// What stands against any change of this patch. A journal that cannot be written, or was damaged while the ledger was known, keeps
    /// nobody in the kernel who must go; nor do unclean ends of the daemon.
    /// </summary>
    public static Reason? BarOf(Situation s, PlannerInput input) => (IsOfTheJournal(input) || input.Bar is Reason.CrashLoop) && Of(s.Owned, input.Ledger) is not null ? null : input.Bar;

    public static Assessment ToLeaveByReboot(Situation s, Cause cause) =>
        new(Assessor.About(s, LifecycleEvent.Quarantined, Reason.RebootToLeave, detail: Words(cause)), []);

    private static bool IsOfTheJournal(PlannerInput input) =>
        input.Bar is Reason.JournalUnavailable || (input.Bar is Reason.JournalUnreadable or Reason.JournalNewer && input.LedgerStands);

    private static Assessment Enabling(Situation s, Cause cause, PlannerInput input)
    {
        var why = BarOf(s, input) ?? (WasRefused(s, input) ? Reason.RebootToLeave : null);
        return why is { } stays
            ? new(Assessor.About(s, LifecycleEvent.Enabling, stays, detail: Words(cause)), [], Assessor.CoarseLook)
            : new(Assessor.About(s, LifecycleEvent.Cancelling, cause.Reason, detail: cause.Detail), [new PlanStep.Reverse(s.Name, cause.Reason, cause.Detail)], Assessor.CoarseLook);
    }

    private static Assessment Active(Situation s, Cause cause, PlannerInput input)
    {
        if (BarOf(s, input) is { } bar)
            return new(Assessor.About(s, cause.Quarantined ? LifecycleEvent.Quarantined : LifecycleEvent.OnProbation, bar, detail: Words(cause)), []);
        // What the author calls unsafe only an operator takes out, by revert or by taking the file away.
        var keeps = FileOf(s.Owned!, input)?.Manifest?.Rollback is Rollback.Unsafe && Assessor.Unwanted(s, input) is null;
        if (keeps || WasRefused(s, input))
            return ToLeaveByReboot(s, cause);
        var leaving = Assessor.About(s, LifecycleEvent.Leaving, cause.Reason, detail: cause.Detail);
        return Previous(s.Name, input) is not null
            ? new(leaving, [])
            : new(leaving, [new PlanStep.Disable(s.Name, cause.Reason), new PlanStep.Unload(s.Name, cause.Reason)]);
    }

    /// <summary>Never taken back, however long it takes: it has to go.</summary>
    private static Assessment Disabling(Situation s, Cause cause, PlannerInput input)
    {
        if (InTransition.MayForce(s, input))
            return InTransition.Forcing(s);
        var late = s.Owned!.DisabledAt is { } since && input.Now.Since(since) >= StallDeadlines.For(input.Settings.Transition, input.Size).Report;
        return new(
            Assessor.About(s, s.Owned.ActiveAt is null ? LifecycleEvent.Cancelling : LifecycleEvent.Leaving, late ? Reason.TransitionOverdue : cause.Reason, detail: Words(cause)),
            [new PlanStep.Await(s.Name)],
            Assessor.CoarseLook);
    }

    /// <summary>The cause forgives what failed before it, so this is a revert for this cause.</summary>
    private static bool WasRefused(Situation s, PlannerInput input) => input.Ledger.RevertFailures.ContainsKey(s.Name);

    private static WantedPatch? FileOf(OwnedPatch owned, PlannerInput input) =>
        input.Want.Wanted.FirstOrDefault(w => w.Name == owned.Name && w.Module.Identity.Matches(owned.Identity));

    /// <summary>For a verdict whose reason is another one.</summary>
    private static string Words(Cause cause) => string.IsNullOrEmpty(cause.Detail) ? cause.Reason.Word() : $"{cause.Reason.Word()}: {cause.Detail}";
}
