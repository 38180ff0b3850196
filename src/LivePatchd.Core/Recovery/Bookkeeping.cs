// Compares one reading of the kernel with the ledger and says what the journal must learn from it.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Gates;

namespace LivePatchd.Core.Recovery;

public static class Bookkeeping
{
    private static readonly TimeSpan ReplaceMargin = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Records that make the ledger agree with the kernel: open intents resolved, first activation, replacement by a
    /// cumulative patch, disappearance behind our back, modules that are gone.
    /// </summary>
    /// <param name="busy">Name under a kernel operation right now: its intent is not judged before the call returns.</param>
    /// <param name="arrivals">What the looks up to this one saw; null: this is the only one.</param>
    public static ImmutableArray<JournalRecord> Learn(ObservedState seen, Ledger ledger, PatchName? busy, Instant now, Arrivals? arrivals = null)
    {
        var records = ImmutableArray.CreateBuilder<JournalRecord>();
        foreach (var owned in ledger.Owned.Values.OrderBy(o => o.Name))
        {
            if (owned.Name != busy && LearnOne(seen, ledger, arrivals ?? Arrivals.None, owned, busy is not null, now) is { } record)
                records.Add(record);
        }

        // A replaced patch is recognised by its successor's first activation, so activations are written last.
        return [.. records.OrderBy(r => r.Kind == RecordKind.Activated)];
    }

    /// <summary>
    /// Who has begun to wait at a gate, and who no longer wants to pass: the budget of a deferral outlives the daemon and the boot. Whoever
    /// waits for something else in between, such as a transition of others, keeps what is spent. A wait from before the boot gets its place
    /// on this boot's clock here, once: from then on the wall clock may be set.
    /// </summary>
    public static ImmutableArray<JournalRecord> Waiting(Plan plan, Ledger ledger, Instant now)
    {
        var waiting = plan.Verdicts.Where(v => v.Reason is { } reason && GateReasons.Contains(reason)).Select(v => v.Name).ToHashSet();
        return
        [
            .. waiting.Where(n => !ledger.Deferred.ContainsKey(n)).Order().Select(n => new JournalRecord(RecordKind.Deferred, n, ledger.BootId, ledger.WaitingSince(n, now) ?? now)),
            .. ledger.Deferred.Keys.Union(ledger.DeferredBefore.Keys).Where(n => !plan.Verdicts.Any(v => v.Name == n && StillWants(v))).Order()
                .Select(n => new JournalRecord(RecordKind.Undeferred, n, ledger.BootId, now)),
        ];
    }

    /// <summary>Loaded patches whose file is another one by now, with the same content: the same patch, and no transition.</summary>
    public static ImmutableArray<JournalRecord> Filed(DesiredState want, Ledger ledger, Instant now)
    {
        ArgumentNullException.ThrowIfNull(want);
        ArgumentNullException.ThrowIfNull(ledger);
        var records = ImmutableArray.CreateBuilder<JournalRecord>();
        foreach (var owned in ledger.Owned.Values.Where(static o => o.IsLoaded).OrderBy(static o => o.Name))
        {
            var files = want.Wanted.Where(w => w.Name == owned.Name && w.Module.Identity.Matches(owned.Identity)).ToList();
            if (files.Count == 0 || files.Exists(w => w.Path == owned.Path && w.Module.Digest == owned.Digest && w.FileSystem == owned.FileSystem))
                continue;
            var file = files.Find(w => w.Path == owned.Path) ?? files[0];
            records.Add(new JournalRecord(RecordKind.Filed, owned.Name, ledger.BootId, now, file.Module.Digest, owned.BuildId, file.Path)
            {
                Content = file.Module.Content,
                FileSystem = file.FileSystem,
            });
        }
        return records.ToImmutable();
    }

    private static bool StillWants(Planning.Verdict v) =>
        v.Event is LifecycleEvent.Ready or LifecycleEvent.Blocked
        || v.Reason is not null && v.Event is LifecycleEvent.Patched or LifecycleEvent.OnProbation;

    private static JournalRecord? LearnOne(ObservedState seen, Ledger ledger, Arrivals arrivals, OwnedPatch owned, bool calling, Instant now)
    {
        // Another build under the name is somebody else's: ours is gone.
        var loaded = seen.Find(owned.Name) is { } found && (found.BuildId is null || owned.BuildId is null || found.BuildId == owned.BuildId)
            ? found
            : null;
        var state = loaded?.State ?? KernelPatchState.NotLoaded;
        JournalRecord Record(RecordKind kind) => new(kind, owned.Name, ledger.BootId, now, owned.Digest, owned.BuildId, owned.Path) { Content = owned.Content };

        JournalRecord Replaced(LoadedPatch by) =>
            Record(RecordKind.Superseded) with { By = by.Name, ByDigest = ledger.Owned.GetValueOrDefault(by.Name)?.Identity.Key };

        var alive = loaded is { Directory: true };
        if (!owned.IsLoaded)
            return alive ? Record(RecordKind.Loaded)
                : state is KernelPatchState.NotLoaded ? Record(RecordKind.Abandoned)
                : null;
        // Also when its reversal was intended and never made: no write is under way.
        if (state is KernelPatchState.Active && owned.ActiveAt is null)
            return Record(RecordKind.Activated);
        if (alive && state is not KernelPatchState.Disabled)
            return null;
        if (owned is { DisabledAt: null, SupersededBy: null } && alive)
        {
            // enabled=0 without a transition: on its way out. Only a successor explains it yet; else wait for the directory to go.
            return Successor(seen, ledger, arrivals, owned, now) is { } newer ? Replaced(newer) : null;
        }
        if (alive)
            return null;
        if (owned is { DisabledAt: null, SupersededBy: null } && !ledger.DisabledByHand.ContainsKey(owned.Name))
        {
            // Nobody can disable a patch while another is in transition. So that other one has just completed and taken this one away: its
            // files were read a moment before. And what a call of ours is doing, its end will tell.
            if (calling || seen.Patches.Any(p => p.State is KernelPatchState.Enabling && p.Name != owned.Name && p.Replace != false))
                return null;
            return Successor(seen, ledger, arrivals, owned, now) is { } by ? Replaced(by) : Record(RecordKind.DisabledByHand);
        }
        return state is KernelPatchState.NotLoaded ? Record(RecordKind.Gone) with { Reason = WhyGone(ledger, owned) } : null;
    }

    /// <summary>
    /// The patch whose completed transition took <paramref name="owned"/> away. Where the kernel has `replace` it says so;
    /// before 6.11 it is the patch of ours that became active just now, for nothing else removes others at that moment; else the one of a
    /// stranger that has come since. The files of two patches are not read at one instant, hence the margin.
    /// </summary>
    private static LoadedPatch? Successor(ObservedState seen, Ledger ledger, Arrivals arrivals, OwnedPatch owned, Instant now)
    {
        foreach (var patch in seen.Patches)
        {
            if (patch.Name == owned.Name || patch.State is not KernelPatchState.Active)
                continue;
            var mine = ledger.Owned.GetValueOrDefault(patch.Name);
            var later = mine is null || mine.StartedAt.Monotonic >= owned.StartedAt.Monotonic;
            if (patch.Replace == true && later)
                return patch;
            var justNow = mine is not null && (mine.ActiveAt is not { } active || now.Since(active) < ReplaceMargin);
            if (patch.Replace is null && justNow && later)
                return patch;
        }
        return arrivals.Successor(owned.Name, seen);
    }

    private static Reason WhyGone(Ledger ledger, OwnedPatch owned) =>
        Emergency.Of(owned, ledger) is { } cause ? cause.Reason
        : owned.SupersededBy is not null ? Reason.ReplacedByNewer
        : ledger.DisabledByHand.ContainsKey(owned.Name) ? Reason.DisabledByHand
        : ledger.Failures.Of(owned.Identity) is { } failure && Stalls.Contains(failure.Reason) ? failure.Reason
        : ledger.Reverted.Contains(owned.Name) ? Reason.RevertedByOperator
        : owned.DisabledFor ?? Reason.RemovedFromDirectory;
}
