// Which records still matter: all of this boot, and of earlier boots only what outlives a boot.
using System.Collections.Immutable;

namespace LivePatchd.Core.Recovery;

public static class Compaction
{
    private const int MaxOfThisBoot = 5000;

    /// <summary>Replaying the result gives the same ledger as replaying all of <paramref name="records"/>.</summary>
    public static ImmutableArray<JournalRecord> Keep(ImmutableArray<JournalRecord> records, string bootId)
    {
        var ledger = LedgerFold.Replay(records, bootId);
        var waits = Waits(records, ledger);
        var kept = records.Where(r => r.BootId == bootId || Outlives(r.Kind) || waits.Contains(r)).ToImmutableArray();
        if (kept.Length <= MaxOfThisBoot)
            return kept;

        // A host that patched thousands of times in one boot: what happened to modules that are gone again has no bearing.
        return [.. kept.Where(r => Outlives(r.Kind) || ledger.Owned.ContainsKey(r.Name) || waits.Contains(r))];
    }

    /// <summary>Who still waits at a gate goes on waiting after a reboot: the record that says since when.</summary>
    private static HashSet<JournalRecord> Waits(ImmutableArray<JournalRecord> records, Ledger ledger) =>
    [
        .. records.Where(r => r.Kind is RecordKind.Deferred && (ledger.Deferred.ContainsKey(r.Name) || ledger.DeferredBefore.ContainsKey(r.Name)))
            .GroupBy(r => r.Name).Select(g => g.Last()),
    ];

    /// <summary>Still has a meaning after a reboot.</summary>
    public static bool Outlives(RecordKind kind) => kind is
        RecordKind.OperatorReverted or RecordKind.OperatorApplied or RecordKind.Superseded
        or RecordKind.Quarantined or RecordKind.Released;
}
