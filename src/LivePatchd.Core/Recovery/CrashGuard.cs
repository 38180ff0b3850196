// Finds, at the journal's opening, the patches that were in the kernel when a host went down: one that the kernel blames is not loaded again,
// trusted or not; any other that was on probation once.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Recovery;

public static class CrashGuard
{
    /// <summary>The kernel notes the time of a dump in whole seconds.</summary>
    private static readonly TimeSpan DumpClock = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Records to append at the start of a boot: findings, and the ends of probations that a clean shutdown cut short, or that a crash ended
    /// for which the kernel blames another patch. A trusted patch is blamed only by name.
    /// </summary>
    /// <param name="cleanBoots">Boots that are known to have been shut down.</param>
    /// <param name="dumps">What the kernel kept of crashes; asked only when one has to be judged. Null: nothing.</param>
    /// <param name="crashedBoot">The boot before this one, when it is known that it went down; null at later starts in this boot.</param>
    public static ImmutableArray<JournalRecord> Learn(
        ImmutableArray<JournalRecord> records, string bootId, IReadOnlySet<string> cleanBoots, Instant now, Func<ImmutableArray<CrashDump>>? dumps = null, string? crashedBoot = null)
    {
        ArgumentNullException.ThrowIfNull(cleanBoots);
        var entries = Fold(records).Where(i => i.BootId != bootId).ToList();
        var ended = entries.Where(static i => !i.Judged).ToList();
        // Whoever was in the kernel may be named, also a patch that was trusted. Older boots have been judged, or were shut down.
        var crashed = entries.Where(i => i.Judged ? i.BootId == crashedBoot : !cleanBoots.Contains(i.BootId)).ToList();
        var ledger = crashed.Count > 0 ? LedgerFold.Replay(records, bootId) : null;
        var causes = crashed.Count > 0 ? Causes(crashed, dumps?.Invoke() ?? []) : ImmutableDictionary<string, CrashDump>.Empty;
        ended.AddRange(crashed.Where(i => i.Judged && causes.GetValueOrDefault(i.BootId)?.Names(i.Intent.Name) is true && ledger!.Quarantined.Of(i.Patch) is not { Grade: EvidenceGrade.Attributed }));
        var learned = ImmutableArray.CreateBuilder<JournalRecord>();
        var said = new List<Sha256>();
        // A crash weighs more than a shutdown, whichever came first; and what is held against a patch more than what frees it.
        foreach (var (intent, patch, _, mustConfirm, _) in ended.OrderBy(i => cleanBoots.Contains(i.BootId)).ThenBy(Freed))
        {
            if (said.Has(patch))
                continue;
            var record = new JournalRecord(RecordKind.Quarantined, intent.Name, bootId, now, patch.Digest, intent.BuildId, intent.Path) { Content = patch.Content };
            var clean = cleanBoots.Contains(intent.BootId);
            var cause = causes.GetValueOrDefault(intent.BootId);
            if (!clean && !IsFreedBy(cause, intent))
                record = Judged(record, intent, cause, again: ledger?.Quarantined.Of(patch) is { Crashes: > 0 });
            else if (mustConfirm)
                record = record with { Kind = RecordKind.Unconfirmed, Reason = Reason.NotConfirmed };
            else
                record = record with { Kind = RecordKind.Abandoned, BootId = intent.BootId, At = intent.At };
            if (record.Kind is not RecordKind.Abandoned)
                said.Add(patch.Key);
            learned.Add(record);
        }
        return learned.ToImmutable();

        bool Freed(Entry entry) => IsFreedBy(causes.GetValueOrDefault(entry.BootId), entry.Intent);

        bool IsFreedBy(CrashDump? cause, JournalRecord intent) =>
            cause is not null && !cause.Names(intent.Name) && crashed.Any(c => c.BootId == intent.BootId && cause.Names(c.Intent.Name));
    }

    /// <summary>By boot: the newest dump of it, and where there are several one that names a patch of ours.</summary>
    private static ImmutableDictionary<string, CrashDump> Causes(List<Entry> crashed, ImmutableArray<CrashDump> dumps)
    {
        // A dump belongs to the last boot whose first intent it comes after.
        var begins = crashed.GroupBy(static c => c.BootId).Select(static g => (Boot: g.Key, From: g.Min(static c => c.Intent.At.Wall))).OrderBy(static b => b.From).ToList();
        var causes = ImmutableDictionary<string, CrashDump>.Empty;
        foreach (var dump in dumps.OrderBy(static d => d.WrittenAt))
        {
            var boot = begins.LastOrDefault(b => b.From - DumpClock <= dump.WrittenAt).Boot;
            if (boot is null || (causes.TryGetValue(boot, out var before) && Blames(before, boot) && !Blames(dump, boot)))
                continue;
            causes = causes.SetItem(boot, dump);
        }
        return causes;

        bool Blames(CrashDump dump, string boot) => crashed.Any(c => c.BootId == boot && dump.Names(c.Intent.Name));
    }

    private static JournalRecord Judged(JournalRecord record, JournalRecord intent, CrashDump? cause, bool again)
    {
        var named = cause?.Names(intent.Name) is true;
        var kind = named ? FindingKind.CrashNamesPatch : again ? FindingKind.HostCrashedAgain : FindingKind.HostCrashed;
        var found = cause is null ? "the kernel left no record of it"
            : named ? "the kernel's record of it names the patch"
            : "the kernel's record of it names no patch of ours";
        return record with
        {
            Reason = Reason.HostCrashed,
            Grade = Grades.Of(kind),
            Detail = Policy.Health.Evidence.Detail([
                FormattableString.Invariant($"loaded at {intent.At.Wall:yyyy-MM-dd HH:mm:ss}Z, and that boot ended without a shutdown{(again ? ", not for the first time" : "")}; {found}"),
                .. cause?.Headline is { } line ? (string[])[line] : [],
            ]),
        };
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
                case RecordKind.Quarantined when r.Grade is not EvidenceGrade.Suspect:
                    confirmed.RemoveWhere(patch.Is);
                    Judge(_ => true, true);
                    break;
                // It is still in the kernel of this boot, and may bring it down on its way out.
                case RecordKind.Unconfirmed:
                case RecordKind.Quarantined when r.Grade is EvidenceGrade.Suspect:
                    confirmed.RemoveWhere(patch.Is);
                    Judge(i => i.BootId != r.BootId, true);
                    break;
                case RecordKind.Activated when confirmed.Has(patch):
                    Judge(i => i.BootId == r.BootId, true);
                    break;
                // A patch that never left the kernel has another chance. What it did in another boot was known to whoever released it.
                case RecordKind.Released:
                    intents.RemoveAll(i => i.Judged && i.BootId != r.BootId && i.Patch.Matches(patch));
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
