// Finds, at the journal's opening, the patches that were on probation when a host went down: a panicking patch is loaded at most once.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Recovery;

public static class CrashGuard
{
    /// <summary>Records to append at the start of a boot: quarantines, and the ends of probations that a clean shutdown cut short.</summary>
    /// <param name="cleanBoots">Boots that are known to have been shut down.</param>
    public static ImmutableArray<JournalRecord> Learn(
        ImmutableArray<JournalRecord> records, string bootId, IReadOnlySet<string> cleanBoots, Instant now)
    {
        ArgumentNullException.ThrowIfNull(cleanBoots);
        var learned = ImmutableArray.CreateBuilder<JournalRecord>();
        var ended = Open(records).Where(i => i.BootId != bootId);
        var said = new List<Sha256>();
        // A crash weighs more than a shutdown, whichever came first.
        foreach (var (intent, patch, _, mustConfirm, _) in ended.OrderBy(i => cleanBoots.Contains(i.BootId)))
        {
            if (said.Has(patch))
                continue;
            var clean = cleanBoots.Contains(intent.BootId);
            if (!clean || mustConfirm)
                said.Add(patch.Key);
            var record = new JournalRecord(RecordKind.Quarantined, intent.Name, bootId, now, patch.Digest, intent.BuildId, intent.Path) { Content = patch.Content };
            learned.Add(
                !clean
                    ? record with { Reason = Reason.HostCrashed, Grade = Grades.Of(FindingKind.HostCrashed), Detail = FormattableString.Invariant($"loaded at {intent.At.Wall:yyyy-MM-dd HH:mm:ss}Z, and that boot ended without a shutdown") }
                : mustConfirm
                    ? record with { Kind = RecordKind.Unconfirmed, Reason = Reason.NotConfirmed }
                    : record with { Kind = RecordKind.Abandoned, BootId = intent.BootId, At = intent.At });
        }
        return learned.ToImmutable();
    }

    /// <summary>
    /// Intents and adoptions of any boot that nothing has closed yet, oldest first. The bytes that were confirmed before are trusted: theirs
    /// are open only until they are active. What a version wrote that knew no probation is not judged.
    /// </summary>
    public static ImmutableArray<JournalRecord> OpenIntents(ImmutableArray<JournalRecord> records) => [.. Open(records).Select(i => i.Intent)];

    /// <summary>All that the guard may still judge, now or after what this boot adds.</summary>
    internal static ImmutableArray<Entry> Entries(ImmutableArray<JournalRecord> records, string bootId) =>
        [.. Fold(records).Where(i => !i.Judged || i.BootId == bootId)];

    private static IEnumerable<Entry> Open(ImmutableArray<JournalRecord> records) => Fold(records).Where(i => !i.Judged);

    private static List<Entry> Fold(ImmutableArray<JournalRecord> records)
    {
        var intents = new List<Entry>();
        var confirmed = new HashSet<Sha256>();
        foreach (var r in records)
        {
            // The word holds for a file that was staged a moment before, and loaded before its request came.
            if (r is { Kind: RecordKind.OperatorApplied, MustConfirm: true })
                intents = [.. intents.Select(i => i.Intent.Name == r.Name && i.BootId == r.BootId ? i with { MustConfirm = true } : i)];
            if (r.Identity is not { } patch)
                continue;
            switch (r.Kind)
            {
                case RecordKind.LoadIntent or RecordKind.Adopted:
                    Forget();
                    if (r.Baseline is not null)
                        intents.Add(new Entry(r, patch, r.BootId, r.MustConfirm, Judged: false));
                    break;
                case RecordKind.Confirmed:
                    confirmed.Add(patch.Key);
                    Judge(_ => true, true);
                    break;
                case RecordKind.Quarantined:
                    confirmed.RemoveWhere(patch.Is);
                    Judge(_ => true, true);
                    break;
                // It is still in the kernel of this boot, and may bring it down on its way out.
                case RecordKind.Unconfirmed:
                    confirmed.RemoveWhere(patch.Is);
                    Judge(i => i.BootId != r.BootId, true);
                    break;
                case RecordKind.Activated when confirmed.Has(patch):
                    Judge(i => i.BootId == r.BootId, true);
                    break;
                // A patch that never left the kernel has another chance.
                case RecordKind.Released:
                    Judge(i => i.BootId == r.BootId, false);
                    break;
                // Out of the kernel, or out of use.
                case RecordKind.Gone or RecordKind.LoadFailed or RecordKind.Abandoned or RecordKind.Superseded or RecordKind.DisabledByHand:
                    Forget();
                    break;
            }

            void Forget() => intents.RemoveAll(i => i.Patch.Matches(patch) && i.BootId == r.BootId);

            void Judge(Predicate<Entry> which, bool judged)
            {
                for (var i = 0; i < intents.Count; i++)
                {
                    if (intents[i].Patch.Matches(patch) && which(intents[i]))
                        intents[i] = intents[i] with { Judged = judged };
                }
            }
        }
        return intents;
    }

    /// <param name="Judged">Somebody has said what is to be thought of it: nothing is learned from a crash.</param>
    internal sealed record Entry(JournalRecord Intent, PatchIdentity Patch, string BootId, bool MustConfirm, bool Judged);
}
