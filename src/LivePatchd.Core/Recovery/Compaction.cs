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
        var kept = records.Where(r => r.BootId == bootId || Outlives(r.Kind)).Where(r => StreamFold.IsCurrent(r, ledger)).ToImmutableArray();
        if (kept.Length <= MaxOfThisBoot)
            return kept;

        // A host that patched thousands of times in one boot: what happened to modules that are gone again has no bearing.
        var owned = ledger.Owned.Keys.ToHashSet();
        return [.. kept.Where(r => Outlives(r.Kind) || owned.Contains(r.Name))];
    }

    /// <summary>Still has a meaning after a reboot.</summary>
    public static bool Outlives(RecordKind kind) => kind is
        RecordKind.OperatorReverted or RecordKind.OperatorApplied or RecordKind.Superseded
        or RecordKind.Quarantined or RecordKind.Released or RecordKind.MarkRaised;
}
