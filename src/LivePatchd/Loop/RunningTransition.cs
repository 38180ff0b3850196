// Which transition runs, and since when: where its direction turns, another one begins.
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Loop;

internal sealed record RunningTransition(PatchName Patch, bool Enabling, Instant Since)
{
    /// <param name="known">As of the last look.</param>
    /// <param name="ledger">Tells since when one runs that another process of the daemon began.</param>
    /// <param name="busy">A call is inside the kernel: what is new has just begun.</param>
    public static RunningTransition? Next(RunningTransition? known, LoadedPatch? seen, Ledger ledger, bool busy, Instant now)
    {
        if (seen is null)
            return null;
        if (known is not null && known.Patch == seen.Name && known.Enabling == seen.Enabled)
            return known;
        var found = known is null && !busy ? ledger.Owned.GetValueOrDefault(seen.Name) : null;
        var since = seen.Enabled
            ? found is { ActiveAt: null, DisabledAt: null } ? found.LoadedAt ?? found.StartedAt : null
            : found?.DisabledAt;
        return new RunningTransition(seen.Name, seen.Enabled, since ?? now);
    }
}
