// Which records still matter: all of this boot, and of earlier boots only what outlives a boot.
using System.Collections.Immutable;

namespace LivePatchd.Core.Recovery;

public static class Compaction
{
    private const int MaxOfThisBoot = 5000;

    /// <summary>Replaying the result gives the same ledger as replaying all of <paramref name="records"/>, and the crash guard learns the same.</summary>
    public static ImmutableArray<JournalRecord> Keep(ImmutableArray<JournalRecord> records, string bootId)
    {
        var ledger = LedgerFold.Replay(records, bootId);
        var pending = CrashGuard.OpenIntents(records).Concat(Waits(records, ledger)).ToHashSet(ReferenceEqualityComparer.Instance);
        var kept = records.Where(r => pending.Contains(r) || IsKept(r, ledger)).ToImmutableArray();
        if (kept.Length <= MaxOfThisBoot)
            return kept;

        // A host that patched thousands of times in one boot: what happened to modules that are gone again has no bearing.
        return [.. kept.Where(r => pending.Contains(r) || Outlives(r.Kind) || ledger.Owned.ContainsKey(r.Name))];
    }

    /// <summary>Who still waits at a gate goes on waiting after a reboot: the records that say since when.</summary>
    private static IEnumerable<JournalRecord> Waits(ImmutableArray<JournalRecord> records, Ledger ledger) => records
        .Where(r => r.Kind is RecordKind.Deferred && (ledger.Deferred.ContainsKey(r.Name) || ledger.DeferredBefore.ContainsKey(r.Name)))
        .GroupBy(r => r.Name)
        .Select(g => g.Last());

    /// <summary>Still has a meaning after a reboot.</summary>
    public static bool Outlives(RecordKind kind) => kind is
        RecordKind.OperatorReverted or RecordKind.OperatorApplied or RecordKind.Superseded
        or RecordKind.Quarantined or RecordKind.Released or RecordKind.Confirmed or RecordKind.Unconfirmed or RecordKind.MarkRaised;

    /// <summary>Confirmations and marks are bounded in the ledger, so in the journal too.</summary>
    private static bool IsKept(JournalRecord r, Ledger ledger) =>
        r.Kind is RecordKind.Confirmed ? r.Digest is { } digest && ledger.Confirmed.Contains(digest)
        : (r.BootId == ledger.BootId || Outlives(r.Kind)) && StreamFold.IsCurrent(r, ledger);
}
