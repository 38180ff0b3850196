// A patch that somebody took out behind the daemon's back: left out, or loaded again a few times, as the configuration says.
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;

namespace LivePatchd.Core.Planning;

internal static class DriftPolicy
{
    /// <summary>Whoever takes it out once more means it.</summary>
    public const int MaxRestores = 3;

    /// <summary>Null when it was not taken out by hand, or may be loaded again now: by the same way through checks and gates as any other.</summary>
    public static Obstacle? Check(WantedPatch wanted, PlannerInput input)
    {
        if (!input.Ledger.DisabledByHand.TryGetValue(wanted.Name, out var taken) || !wanted.Module.Identity.Is(taken))
            return null;
        if (input.Settings.Drift is not AfterDrift.Restore || !input.Ledger.Drifts.TryGetValue(wanted.Name, out var drift))
            return new(LifecycleEvent.Blocked, Reason.DisabledByHand, Detail: Unless(input));
        if (drift.Count > MaxRestores)
            return new(LifecycleEvent.Blocked, Reason.DisabledByHand, Detail: $"taken out {drift.Count} times in this boot: it is not restored any more");
        if (drift.Count == 1)
            return null;
        var retry = drift.LastAt.After(RetryPolicy.Pause(drift.Count - 1, input.Settings.Transition));
        return input.Now.IsBefore(retry)
            ? new(LifecycleEvent.Blocked, Reason.DisabledByHand, retry, $"taken out {drift.Count} times in this boot: it is restored after a pause")
            : null;
    }

    /// <summary>Who may have replaced it instead, where the kernel does not say so and nobody was looking; null where it is certain.</summary>
    private static string? Unless(PlannerInput input)
    {
        var others = input.Seen.Patches
            .Where(p => p is { State: KernelPatchState.Active, Replace: null } && !input.Ledger.Owned.ContainsKey(p.Name))
            .Select(static p => p.Name).ToList();
        return others.Count == 0 ? null : $"or replaced by {string.Join(" or ", others)}: this kernel does not say what a patch replaces";
    }
}
