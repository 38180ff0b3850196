// Which records still matter: all of this boot, and of earlier boots only what outlives a boot, without what later records have made idle.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Recovery;

public static class Compaction
{
    private const int MaxOfThisBoot = 5000;

    /// <summary>Records that are folded in all trials together, some seconds at most: a start does not wait for the smallest journal.</summary>
    private const int MaxWork = 1_000_000;

    /// <summary>Of no record.</summary>
    private const string NextBoot = "";

    /// <summary>Replaying the result gives the same ledger as replaying all of <paramref name="records"/>, in this boot and in the next, and the crash guard learns the same.</summary>
    public static ImmutableArray<JournalRecord> Keep(ImmutableArray<JournalRecord> records, string bootId)
    {
        var ledger = LedgerFold.Replay(records, bootId);
        var pending = CrashGuard.OpenIntents(records).Concat(Waits(records, ledger)).ToHashSet(ReferenceEqualityComparer.Instance);
        var kept = WithoutIdle([.. records.Where(r => pending.Contains(r) || r.BootId == bootId || Outlives(r.Kind))], bootId);
        if (kept.Length <= MaxOfThisBoot)
            return kept;

        // A host that patched thousands of times in one boot: what happened to modules that are gone again has no bearing.
        return [.. kept.Where(r => pending.Contains(r) || Outlives(r.Kind) || ledger.Owned.ContainsKey(r.Name))];
    }

    /// <summary>Still has a meaning after a reboot.</summary>
    public static bool Outlives(RecordKind kind) => kind is
        RecordKind.OperatorReverted or RecordKind.OperatorApplied or RecordKind.Superseded
        or RecordKind.Quarantined or RecordKind.Released or RecordKind.Confirmed or RecordKind.Unconfirmed or RecordKind.MarkRaised;

    /// <summary>Who still waits at a gate goes on waiting after a reboot: the records that say since when.</summary>
    private static IEnumerable<JournalRecord> Waits(ImmutableArray<JournalRecord> records, Ledger ledger) => records
        .Where(r => r.Kind is RecordKind.Deferred && (ledger.Deferred.ContainsKey(r.Name) || ledger.DeferredBefore.ContainsKey(r.Name)))
        .GroupBy(r => r.Name)
        .Select(g => g.Last());

    /// <summary>
    /// Requests and findings come for as long as the host lives, and most are taken back or repeated. Which of them are idle is not told by
    /// rules, which would have to know all of the fold: a run of them is left out where everything that is folded comes out the same,
    /// else each half of it is tried.
    /// </summary>
    private static ImmutableArray<JournalRecord> WithoutIdle(ImmutableArray<JournalRecord> records, string bootId)
    {
        var ledger = LedgerFold.Replay(records, bootId);
        // What this boot has lifted by a load stands again after it.
        var next = LedgerFold.Replay(records, NextBoot);
        var guarded = CrashGuard.Entries(records, bootId);
        var standing = Standing(records, ledger).Concat(Standing(records, next)).ToHashSet(ReferenceEqualityComparer.Instance);
        var candidates = records.Where(r => Outlives(r.Kind) && !standing.Contains(r)).ToImmutableArray();
        // Mostly only the last of each kind has anything left to say: one trial for all the others.
        var last = candidates.GroupBy(r => (r.Kind, r.Name)).Select(g => g.Last()).ToHashSet(ReferenceEqualityComparer.Instance);
        var runs = new Stack<ImmutableArray<JournalRecord>>([[.. candidates.Where(last.Contains)], [.. candidates.Where(r => !last.Contains(r))]]);
        for (var work = 0; work < MaxWork && runs.TryPop(out var run); work += records.Length)
        {
            if (run.IsEmpty)
                continue;
            var idle = run.ToHashSet(ReferenceEqualityComparer.Instance);
            ImmutableArray<JournalRecord> rest = [.. records.Where(r => !idle.Contains(r))];
            if (LedgerFold.Replay(rest, bootId).SaysTheSame(ledger)
                && LedgerFold.Replay(rest, NextBoot).SaysTheSame(next)
                && CrashGuard.Entries(rest, bootId).SequenceEqual(guarded))
            {
                records = rest;
            }
            else if (run.Length > 1)
            {
                // The older half first: what it said may be all that the newer one takes back.
                runs.Push(run[(run.Length / 2)..]);
                runs.Push(run[..(run.Length / 2)]);
            }
        }
        return records;
    }

    /// <summary>What the ledger has its marks from. These need no trial; on a host with many marks the trials would take long.</summary>
    private static IEnumerable<JournalRecord> Standing(ImmutableArray<JournalRecord> records, Ledger ledger) => records
        .Where(r => r.Kind switch
        {
            RecordKind.OperatorApplied => r is { Downgrade: true, Identity: { } patch } && ledger.Downgrades.Has(patch),
            RecordKind.OperatorReverted => ledger.Reverted.Contains(r.Name),
            RecordKind.Superseded => ledger.Superseded.TryGetValue(r.Name, out var mark) && r.Identity?.Is(mark.Digest) == true,
            RecordKind.Quarantined => r.Identity is { } patch && ledger.Quarantined.Has(patch),
            RecordKind.Unconfirmed => r.Identity is { } patch && ledger.IsUnconfirmed(r.Name, patch),
            RecordKind.Confirmed => r.Identity is { } patch && ledger.Confirmed.Has(patch),
            RecordKind.MarkRaised => StreamFold.IsCurrent(r, ledger),
            _ => false,
        })
        .GroupBy(r => (r.Kind, r.Name, r.Identity?.Key, r.Mark))
        .Select(g => g.Last());
}
