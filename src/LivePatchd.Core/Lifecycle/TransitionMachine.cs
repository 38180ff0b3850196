// The life cycle of a patch as one table: (state, event) → state, and the effects of the move.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Lifecycle;

/// <param name="Since">Moment the state was entered.</param>
public sealed record PatchLife(PatchState State, Instant Since)
{
    /// <summary>Since when it has been wanted and not in force, through all holds and tries; null when it is not so.</summary>
    public Instant? PendingSince { get; init; }
}

public static class TransitionMachine
{
    /// <summary>
    /// The state an event shows. The kernel is the truth, so the target depends on the event alone; the table's work is to
    /// say which moves are legal.
    /// </summary>
    public static PatchState Target(LifecycleEvent e) => e switch
    {
        LifecycleEvent.CannotPatch => PatchState.Unsupported,
        LifecycleEvent.Refused => PatchState.Rejected,
        LifecycleEvent.Blocked => PatchState.Held,
        LifecycleEvent.Ready => PatchState.Staged,
        LifecycleEvent.LoadCalled => PatchState.Loading,
        LifecycleEvent.Enabling => PatchState.Transitioning,
        LifecycleEvent.Overdue => PatchState.Stalled,
        LifecycleEvent.Cancelling => PatchState.Reversing,
        LifecycleEvent.OnProbation => PatchState.Soaking,
        LifecycleEvent.Patched => PatchState.Active,
        LifecycleEvent.Leaving => PatchState.Reverting,
        LifecycleEvent.Out => PatchState.Reverted,
        LifecycleEvent.Replaced => PatchState.Superseded,
        LifecycleEvent.SeenForeign => PatchState.Foreign,
        LifecycleEvent.Quarantined => PatchState.Quarantined,
        LifecycleEvent.PinnedByForce => PatchState.Forced,
        _ => throw new ArgumentOutOfRangeException(nameof(e)),
    };

    /// <summary>
    /// Moves that our own hand must never make. Everything else may be observed, because others act on the kernel too and
    /// the daemon may have been away: a wanted file may appear as active at first sight, a foreign patch may be handed over.
    /// </summary>
    public static bool IsLegal(PatchState from, LifecycleEvent e) => (from, e) switch
    {
        // A load begins only from a patch found ready, and never out of quarantine, force or rejection.
        (PatchState.Staged or PatchState.Loading, LifecycleEvent.LoadCalled) => true,
        (_, LifecycleEvent.LoadCalled) => false,

        // Quarantine is left by an operator's release alone, which shows as the patch being looked at afresh: one that never left the
        // kernel is on probation again, and not trusted before that is over.
        (PatchState.Quarantined, LifecycleEvent.Enabling or LifecycleEvent.Overdue or LifecycleEvent.Patched) => false,

        // What is forced stays until reboot, whatever is found against it.
        (PatchState.Forced, not (LifecycleEvent.PinnedByForce or LifecycleEvent.Quarantined)) => false,

        // Not ours: it goes by itself, or is handed over as it stands. We never take it out.
        (PatchState.Foreign, LifecycleEvent.Leaving or LifecycleEvent.Cancelling) => false,

        // Soak is not skipped backwards: what is confirmed is not put on probation again without a new load.
        (PatchState.Active, LifecycleEvent.OnProbation) => false,
        _ => true,
    };

    public static (PatchLife Next, ImmutableArray<Effect> Effects) Step(PatchLife? life, LifecycleEvent e, Instant now)
    {
        var to = Target(e);
        if (life is null)
            return (new PatchLife(to, now) { PendingSince = IsPending(to) ? now : null }, [new Effect.Announce(null, to), .. Begins(null, to)]);
        if (life.State == to)
            return (life, []);
        var effects = ImmutableArray.CreateBuilder<Effect>();
        if (!IsLegal(life.State, e))
            effects.Add(new Effect.ReportImpossible(life.State, e));
        effects.Add(new Effect.Announce(life.State, to));
        effects.AddRange(Ends(life.State, to));
        effects.AddRange(Begins(life.State, to));
        return (new PatchLife(to, now) { PendingSince = IsPending(to) ? life.PendingSince ?? now : null }, effects.ToImmutable());
    }

    private static bool IsPending(PatchState state) =>
        state is PatchState.Staged or PatchState.Held or PatchState.Loading or PatchState.Transitioning or PatchState.Stalled or PatchState.Reversing;

    private static bool IsApplying(PatchState? state) =>
        state is PatchState.Loading or PatchState.Transitioning or PatchState.Stalled;

    private static bool IsReverting(PatchState? state) => state is PatchState.Reverting or PatchState.Reversing;

    private static ImmutableArray<Effect> Begins(PatchState? from, PatchState to)
    {
        if (IsApplying(to) && !IsApplying(from))
            return [new Effect.Begin(Operation.Apply)];
        return IsReverting(to) && !IsReverting(from) ? [new Effect.Begin(Operation.Revert)] : [];
    }

    private static ImmutableArray<Effect> Ends(PatchState from, PatchState to)
    {
        if (IsApplying(from) && !IsApplying(to))
            return [new Effect.Finish(Operation.Apply, ApplyResult(to))];
        return IsReverting(from) && !IsReverting(to)
            ? [new Effect.Finish(Operation.Revert, RevertResult(from, to))]
            : [];
    }

    private static OperationResult ApplyResult(PatchState to) => to switch
    {
        PatchState.Active or PatchState.Soaking => OperationResult.Done,
        PatchState.Reversing or PatchState.Reverting => OperationResult.Reversed,
        _ => OperationResult.Failed,
    };

    private static OperationResult RevertResult(PatchState from, PatchState to) => (from, to) switch
    {
        (PatchState.Reversing, PatchState.Transitioning or PatchState.Soaking or PatchState.Active) => OperationResult.Reversed,
        (_, PatchState.Soaking or PatchState.Active or PatchState.Transitioning or PatchState.Stalled) => OperationResult.Failed,
        _ => OperationResult.Done,
    };
}
