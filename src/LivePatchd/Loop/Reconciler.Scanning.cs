// The loop's half of a scan: what is watched, what is read on the worker, and which patches are then foreseen.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Trust;
using LivePatchd.Log;

namespace LivePatchd.Loop;

internal sealed partial class Reconciler
{
    private WishMemory wishes = WishMemory.Empty;

    /// <summary>What <see cref="desired"/> was last judged by.</summary>
    private (WishMemory Wishes, IReadOnlyDictionary<PatchName, OwnedPatch>? Owned) judged;

    /// <summary>Where the kernel refuses to tell of changes: a denial may not wait for minutes.</summary>
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(3);

    private void Scan(Instant now)
    {
        scanDue = false;
        // On the loop, which must not wait for a disk while a transition may have to be turned back.
        if (journal.IsBehind && transition is null)
            OpenJournal();
        MarkHost();
        var (directories, trust) = (configuration.Settings.Directories, configuration.Settings.Trust);
        var release = kernel.Release;
        var watched = parts.Watcher.Sync(directories.SelectMany(d => new[] { d.Path, StagingArea.PathOf(d, release) }).Append(DenyList.Path).Append(trust.Certificates));
        if (!watched.IsOk && watched != lastWatch)
            log.Problem(EventKind.Refused, $"A directory cannot be watched ({watched}); all are read every {PollEvery.TotalSeconds:F0} s instead", Reason.WatchUnavailable, errno: watched.Errno);
        lookDue |= watched.IsOk != lastWatch.IsOk;
        nextScan = now.After(watched.IsOk ? RescanEvery : PollEvery);
        lastWatch = watched;
        scanning = true;
        var owned = journal.Ledger.Owned;
        files.Start(null, () =>
        {
            var scanned = ScanAll(directories, release, trust);
            return new WorkResult.Scanned(now, scanned, preflight.Read(Pending(scanned.Desired, owned)));
        });
    }

    private void TakeScan(WorkResult.Scanned scanned)
    {
        scans++;
        Failpoint.At("scan.taken");
        wishes = wishes.After(scanned.Result.Desired, scanned.Begun, [.. journal.Ledger.Owned.Values], configuration.Settings.Directories);
        var copies = executor.Stored;
        JudgeWishes();
        // A file that is only missing for the moment leaves its copy in use.
        executor.Stored = scanned.Result.Stored.AddRange(copies.Where(c => desired.Wanted.Any(w => w.Module.Digest == c.Key) && !scanned.Result.Stored.ContainsKey(c.Key)));
        if (wishes.NextLook is { } look)
            nextScan = LoopWait.Earliest(nextScan, look)!.Value;
        preflight.Take(scanned.Facts);
        collectDue = true;
        var waiting = afterScan.Where(a => a.Scan <= scans).ToList();
        afterScan.RemoveAll(a => a.Scan <= scans);
        waiting.ForEach(a => Carry(a.Command, secondTry: true));
    }

    /// <summary>A missing file means one thing while its patch is loaded, and nothing when it is not.</summary>
    private void JudgeWishes()
    {
        var owned = journal.Ledger.Owned;
        if (ReferenceEquals(judged.Wishes, wishes) && ReferenceEquals(judged.Owned, owned))
            return;
        judged = (wishes, owned);
        var now = wishes.Judge([.. owned.Values]);
        ScanNews.Tell(log, desired, now);
        desired = now;
    }

    private ScanResult ScanAll(ImmutableArray<WatchedDirectory> directories, string release, TrustSettings trust)
    {
        Failpoint.At("scan.begin");
        var result = parts.Scanner.Scan(directories, release, trust);
        Failpoint.At("scan.end");
        return result;
    }

    /// <summary>Wanted, and not in the kernel.</summary>
    private IReadOnlyCollection<PatchModule> Pending(DesiredState want) => Pending(want, journal.Ledger.Owned);

    private static IReadOnlyCollection<PatchModule> Pending(DesiredState want, IReadOnlyDictionary<PatchName, OwnedPatch> owned) =>
        [.. want.Wanted.Select(w => w.Module).Where(m => owned.GetValueOrDefault(m.Name)?.Identity.Matches(m.Identity) != true).DistinctBy(m => m.Digest)];

    private ImmutableArray<HostCondition> Reading =>
    [
        .. slow.IsStuck ? (IEnumerable<HostCondition>)[new(Reason.FilesStuck, "")] : [],
        .. lastWatch.IsOk ? (IEnumerable<HostCondition>)[] : [new(Reason.WatchUnavailable, $"read every {PollEvery.TotalSeconds:0} s: {lastWatch}")],
    ];

    /// <summary>Nothing is under way, in the kernel or here: time for what may wait for a disk.</summary>
    private bool IsAtRest => !worker.IsBusy && !files.IsBusy && transition is null;

    /// <summary>What nobody waits for, done while nothing else is.</summary>
    private void Tidy()
    {
        journal.Flush();
        if (collectDue)
            Collect();
        collectDue = false;
        if (scans > 0 && preflight.NextWork(Pending(desired), kernel) is { } work)
            files.Start(null, work);
        rest.Take(clock.Now());
    }

    /// <summary>Copies that nobody wants and no loaded module came from are removed; while anything is unknown, none are.</summary>
    private void Collect()
    {
        if (!desired.Unreadable.IsEmpty || journal.Bar is not null)
            return;
        Failpoint.At("collect.begin");
        parts.Store.Collect(desired.Wanted.Select(w => w.Module.Digest).Concat(journal.Ledger.Owned.Values.Select(o => o.Digest)).ToHashSet());
    }
}
