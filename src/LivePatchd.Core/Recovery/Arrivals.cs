// What the looks before this one saw of patches that are not ours: which of them came when one of ours went. For kernels that do not say what a patch replaces.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Recovery;

/// <summary>
/// Before 6.11 a livepatch does not say whether it is cumulative. But nothing else than an operator or a cumulative patch takes a patch out,
/// and the latter does it in the moment in which it is complete itself.
/// </summary>
public sealed record Arrivals
{
    /// <summary>Nobody has looked yet.</summary>
    public static Arrivals None { get; } = new();

    /// <summary>When each was first seen complete; null for those that were complete at the first look.</summary>
    private ImmutableDictionary<PatchName, Instant?> Since { get; init; } = ImmutableDictionary<PatchName, Instant?>.Empty;

    /// <summary>When each of ours was last seen complete.</summary>
    private ImmutableDictionary<PatchName, Instant> LastSeen { get; init; } = ImmutableDictionary<PatchName, Instant>.Empty;

    private bool HasLooked { get; init; }

    public Arrivals After(ObservedState seen, Ledger ledger, Instant now)
    {
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(ledger);
        // What could not be read is not known to have gone.
        if (!seen.Whole)
            return this;
        var complete = seen.Patches.Where(static p => p.State is KernelPatchState.Active).Select(static p => p.Name).ToList();
        return new Arrivals
        {
            HasLooked = true,
            Since = complete.Where(n => !ledger.Owned.ContainsKey(n)).ToImmutableDictionary(n => n, n => Since.TryGetValue(n, out var since) ? since : HasLooked ? now : (Instant?)null),
            LastSeen = ledger.Owned.Keys.Where(n => complete.Contains(n) || LastSeen.ContainsKey(n)).ToImmutableDictionary(n => n, n => complete.Contains(n) ? now : LastSeen[n]),
        };
    }

    /// <summary>
    /// The patch that is not ours, has come since <paramref name="ours"/> was last seen complete, and does not say what it replaces. Null when
    /// there is none, when there are several, and when nobody has seen ours complete.
    /// </summary>
    public LoadedPatch? Successor(PatchName ours, ObservedState seen)
    {
        ArgumentNullException.ThrowIfNull(seen);
        if (!LastSeen.TryGetValue(ours, out var last))
            return null;
        var arrived = seen.Patches.Where(p => p is { State: KernelPatchState.Active, Replace: null } && Since.GetValueOrDefault(p.Name) is { } since && !since.IsBefore(last)).ToList();
        return arrived is [var one] ? one : null;
    }
}
