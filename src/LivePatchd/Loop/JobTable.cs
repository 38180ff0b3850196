// Requests that are followed to their end: each look tells whether a job has its result.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Publish;

namespace LivePatchd.Loop;

/// <summary>The request behind an operation.</summary>
internal readonly record struct Asked(uint Job, uint Uid);

internal sealed class JobTable
{
    /// <summary>A finished job's object stays this long, so that a late reader sees its result.</summary>
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(60);

    /// <summary>A wait that is known to end so soon is part of the job, not the end of it.</summary>
    private static readonly TimeSpan SettlePatience = TimeSpan.FromMinutes(1);

    /// <summary>More jobs than this at once are refused.</summary>
    public const int MaxOpen = 64;

    /// <summary>What root alone may use of them, so that others cannot keep it from its work.</summary>
    public const int KeptForRoot = 16;

    /// <summary>What one user other than root may have, by however many connections.</summary>
    public const int MaxOpenOfOne = 16;

    private sealed record Entry(JobView View, uint Uid, long NotBeforeScan, Instant? DoneAt);

    private readonly SortedDictionary<uint, Entry> jobs = [];
    private uint last;

    public ImmutableArray<JobView> Views => [.. jobs.Values.Select(j => j.View)];

    /// <summary>Of the job that ended first, which need not be the oldest.</summary>
    public Instant? NextExpiry => LoopWait.Earliest([.. jobs.Values.Select(j => j.DoneAt?.After(Linger))]);

    /// <summary>False when the user, or the host, has as many open jobs as it may.</summary>
    public bool HasRoom(uint uid)
    {
        var open = jobs.Values.Count(j => j.DoneAt is null);
        return uid == 0
            ? open < MaxOpen
            : open < MaxOpen - KeptForRoot && jobs.Values.Count(j => j.DoneAt is null && j.Uid == uid) < MaxOpenOfOne;
    }

    /// <param name="uid">Who asked; 0 also for the daemon itself.</param>
    /// <param name="notBeforeScan">Number of the directory scan that the job's outcome must know.</param>
    public JobView Add(string kind, PatchName patch, uint uid, long notBeforeScan)
    {
        var view = new JobView(++last, kind, patch, "waiting", "");
        jobs[view.Id] = new Entry(view, uid, notBeforeScan, null);
        return view;
    }

    public JobView? Find(uint id) => jobs.GetValueOrDefault(id)?.View;

    /// <summary>The open job that what happens to the patch belongs to, with its caller; null where nobody asked.</summary>
    public Asked? Of(PatchName patch) =>
        jobs.Values.LastOrDefault(j => j.DoneAt is null && j.View.Patch == patch) is { } open ? new Asked(open.View.Id, open.Uid) : null;

    /// <summary>Ends the patch's open jobs of another kind: somebody asked for the opposite. Who asked for the same gets the same end.</summary>
    public void CancelOpposite(string kind, PatchName patch, Instant now)
    {
        foreach (var job in jobs.Values.Where(j => j.DoneAt is null && j.View.Patch == patch && j.View.Kind != kind).ToList())
            Finish(job, "cancelled", now);
    }

    public void Advance(Plan plan, long scans, Instant now)
    {
        foreach (var job in jobs.Values.ToList())
        {
            if (job.DoneAt is { } done)
            {
                if (now.Since(done) >= Linger)
                    jobs.Remove(job.View.Id);
                continue;
            }
            if (scans < job.NotBeforeScan)
                continue;
            var verdict = plan.Verdicts.FirstOrDefault(v => v.Name == job.View.Patch);
            var result = job.View.Kind == "apply" ? ApplyResult(verdict, job.View.State == "running", now) : RevertResult(verdict);
            if (result is not null)
                Finish(job, result, now);
            else if (job.View.State == "waiting" && Moving(verdict))
                jobs[job.View.Id] = job with { View = job.View with { State = "running" } };
        }
    }

    private void Finish(Entry job, string result, Instant now) =>
        jobs[job.View.Id] = job with { View = job.View with { State = "done", Result = result }, DoneAt = now };

    private static bool Moving(Verdict? v) => v?.Event is
        LifecycleEvent.LoadCalled or LifecycleEvent.Enabling or LifecycleEvent.Overdue
        or LifecycleEvent.Leaving or LifecycleEvent.Cancelling;

    /// <summary>Null while there is hope: moving, about to move, or waiting for another transition.</summary>
    /// <param name="running">It was under way, so that a reason to take it back is this job's own.</param>
    private static string? ApplyResult(Verdict? v, bool running, Instant now) => v switch
    {
        null => "failed",
        { Event: LifecycleEvent.Blocked, Reason: Reason.GatesSettling, RetryAt: { } open } when open.Since(now) <= SettlePatience => null,
        { Event: LifecycleEvent.Blocked, Reason: Reason.AttemptsExhausted or Reason.TransitionStalled or Reason.AbortedUnderPressure or Reason.MadeWay } when running => "reversed",
        { Event: LifecycleEvent.Patched or LifecycleEvent.OnProbation, Reason: { } gate } when GateReasons.Contains(gate) => gate is Reason.DeferralExhausted ? null : "held",
        { Event: LifecycleEvent.Patched or LifecycleEvent.OnProbation } => v.Reason is Reason.RemovedFromDirectory or Reason.NewVersion or Reason.RevertedByOperator ? null : "done",
        { Event: LifecycleEvent.Refused or LifecycleEvent.Quarantined or LifecycleEvent.CannotPatch } => "rejected",
        { Event: LifecycleEvent.Blocked } => v.Reason is Reason.TransitionInProgress or Reason.WaitingForOthers ? null : "held",
        { Event: LifecycleEvent.Replaced or LifecycleEvent.SeenForeign } => "held",
        { Event: LifecycleEvent.Out } => "failed",
        { Event: LifecycleEvent.PinnedByForce } => "failed",
        _ => null,
    };

    /// <summary>The daemon began to change nothing after the request was accepted: it stands, and is carried out when that ends.</summary>
    private static bool IsBar(Reason reason) => reason is
        Reason.Disabled or Reason.ObserveMode or Reason.ConfigInvalid or Reason.JournalUnavailable or Reason.JournalUnreadable or Reason.JournalNewer or Reason.CrashLoop;

    private static string? RevertResult(Verdict? v) => v switch
    {
        null => "done",
        { Event: LifecycleEvent.Out or LifecycleEvent.Refused or LifecycleEvent.CannotPatch or LifecycleEvent.Ready } => "done",
        { Event: LifecycleEvent.Blocked } => v.Reason is Reason.TransitionInProgress ? null : "held",
        { Event: LifecycleEvent.Quarantined, Reason: Reason.RebootToLeave } => "failed",
        { Event: LifecycleEvent.Quarantined or LifecycleEvent.Patched or LifecycleEvent.OnProbation, Reason: { } bar } when IsBar(bar) => "held",
        { Event: LifecycleEvent.Quarantined } => "done",
        { Reason: Reason.RevertRefused } => "failed",
        { Event: LifecycleEvent.Patched or LifecycleEvent.OnProbation, Reason: Reason.TransitionStalled or Reason.AttemptsExhausted } => "reversed",
        { Event: LifecycleEvent.Patched or LifecycleEvent.OnProbation, Reason: { } gate } when GateReasons.Contains(gate) => gate is Reason.DeferralExhausted ? null : "held",
        { Event: LifecycleEvent.Patched or LifecycleEvent.OnProbation } => v.Reason is Reason.RevertedByOperator or Reason.RemovedFromDirectory or Reason.NewVersion ? null : "failed",
        { Event: LifecycleEvent.SeenForeign or LifecycleEvent.PinnedByForce } => "failed",
        _ => null,
    };
}
