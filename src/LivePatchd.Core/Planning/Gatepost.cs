// May this change pass the gates now? Asked last, when nothing else stands against it.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;

namespace LivePatchd.Core.Planning;

/// <param name="Obstacle">Null when it may pass.</param>
/// <param name="Note">It passes closed gates because the deferral is exhausted.</param>
internal readonly record struct Passage(Obstacle? Obstacle, Reason? Note);

internal static class Gatepost
{
    /// <summary>A request that could not be carried out at once is still meant for the machine as it was then.</summary>
    private static readonly TimeSpan OverrideLasts = TimeSpan.FromHours(1);

    public static Passage Ask(PatchName name, WantedPatch? wanted, PlannerInput input)
    {
        var board = wanted is not null && input.PatchGates.TryGetValue(wanted.Module.Digest, out var own) ? own : input.Gates;
        if (board.Reason is not { } closed)
            return default;
        var request = new DeferralRequest(
            input.Ledger.WaitingSince(name, input.Now) ?? input.Now,
            wanted?.Manifest?.Severity ?? Severity.Medium,
            wanted?.Manifest?.Deadline,
            input.Ledger.Deadlines.TryGetValue(name, out var deadline) ? input.Now.After(deadline - input.Now.Wall) : null,
            input.Ledger.Overrides.TryGetValue(name, out var asked) && input.Now.Since(asked) < OverrideLasts);
        var decision = Deferral.Decide(request, input.Settings.Deferral, board, input.Now);
        return decision.Answer switch
        {
            DeferralAnswer.Go => default,
            DeferralAnswer.GoAnyway => new(null, Reason.DeferralExhausted),
            DeferralAnswer.Keep => new(new(LifecycleEvent.Blocked, Reason.DeferralExhausted, board.RetryAt, board.Detail), null),
            _ => new(new(LifecycleEvent.Blocked, closed, Earlier(board.RetryAt, decision.Until), board.Detail), null),
        };
    }

    private static Instant Earlier(Instant? one, Instant other) => one is { } first && first.IsBefore(other) ? first : other;
}
