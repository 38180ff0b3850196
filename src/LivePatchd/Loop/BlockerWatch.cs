// Has the tasks of the host looked through while a transition takes its time, on a thread of its own that sleeps otherwise.
using System.Collections.Immutable;
using System.Diagnostics;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy;
using LivePatchd.Log;
using LivePatchd.Publish;
using LivePatchd.Systemd;

namespace LivePatchd.Loop;

/// <summary>One pass over the tasks; for one thread.</summary>
internal delegate SysResult<BlockerReport> ScanTasks(LoadedPatch patch, ImmutableArray<TaskKey> oldest, Instant now);

/// <summary>
/// The thread only scans. What it found counts once the loop has read the kernel again and the same transition still runs: a pass takes
/// time, and whoever is met after the end of a transition blocks nothing.
/// </summary>
/// <param name="ring">Makes the loop look; from the thread.</param>
/// <param name="start">Null but in tests, as for <see cref="SpareThread"/>.</param>
internal sealed class BlockerWatch(ScanTasks scan, Action ring, MonotonicClock clock, DaemonLog log, Action<Thread>? start = null) : IDisposable
{
    /// <summary>Most transitions are over by then, and cost nothing.</summary>
    public static readonly TimeSpan Unnoticed = TimeSpan.FromSeconds(2);

    /// <summary>The kernel tries once a second: there is nothing new to see more often.</summary>
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(1);

    /// <summary>A pass over many threads is work: the pauses are so many times as long.</summary>
    private const int RestRatio = 10;

    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(30);

    private const int MaxTold = 5;

    private readonly Lock gate = new();
    private readonly AutoResetEvent edge = new(initialState: false);
    private (RunningTransition Of, LoadedPatch Patch, ImmutableArray<TaskKey> Oldest)? due;
    private (RunningTransition Of, SysResult<BlockerReport> Result, TimeSpan Took)? done;
    private volatile bool asked;
    private volatile bool stopping;
    private SpareThread? thread;

    private RunningTransition? running;
    private BlockerMemory memory = BlockerMemory.Empty;
    private BlockerReport? report;
    private Instant nextScan;
    private bool told;

    /// <summary>For the loop: null while no transition runs.</summary>
    public BlockingView? View { get; private set; }

    /// <summary>The running load can never end; null while nothing shows that.</summary>
    public TransitionAlarm? NeverCompletes => running is { Enabling: true } && report?.Blockers.FirstOrDefault(b => b.NeverCompletes) is { } blocker
        ? new TransitionAlarm(report.Patch, $"kernel thread {blocker.Comm} ({blocker.Task.Tid}) never leaves {blocker.PatchedFunction}")
        : null;

    /// <summary>From any thread: somebody wants to know. The loop, which looks every second while a transition runs, need not be rung for it.</summary>
    public void Ask() => asked = true;

    /// <summary>On the loop's thread, right after the kernel was read.</summary>
    /// <param name="patch">The one in transition.</param>
    public void Follow(RunningTransition? transition, LoadedPatch? patch, StallDeadlines deadlines, string bootId, Instant now)
    {
        if (transition != running)
        {
            (running, memory, report, told, asked) = (transition, BlockerMemory.Empty, null, false, false);
            nextScan = now;
        }
        Collect(now);
        if (running is not { } current || patch is null)
        {
            View = null;
            return;
        }
        var age = now.Since(current.Since);
        if ((asked || age >= Unnoticed) && !now.IsBefore(nextScan))
            Begin(current, patch, now);
        var overdue = age >= deadlines.Report;
        View = new BlockingView(
            current.Patch, current.Enabling, current.Since, overdue,
            report is null ? null : BlockersToken.Of(bootId, current.Patch, current.Enabling, current.Since), report);
        if (overdue && !told && report is { Stalled: > 0 })
            Tell(report);
    }

    public void Dispose()
    {
        stopping = true;
        edge.Set();
        // A pass ends by itself; the process does not wait long for it.
        if (thread?.Join(TimeSpan.FromSeconds(5)) is not false)
            edge.Dispose();
    }

    private void Begin(RunningTransition of, LoadedPatch patch, Instant now)
    {
        thread ??= new SpareThread("blockers", Run, log, start);
        if (!thread.Start())
        {
            nextScan = now.After(AfterFailure);
            return;
        }
        lock (gate)
        {
            if (due is not null)
                return;
            due = (of, patch, memory.Oldest);
        }
        asked = false;
        edge.Set();
    }

    private void Run()
    {
        try
        {
            while (true)
            {
                edge.WaitOne();
                if (stopping)
                    return;
                (RunningTransition Of, LoadedPatch Patch, ImmutableArray<TaskKey> Oldest) next;
                lock (gate)
                {
                    if (due is not { } waiting)
                        continue;
                    next = waiting;
                }
                var begin = Stopwatch.GetTimestamp();
                var result = scan(next.Patch, next.Oldest, clock.Now());
                lock (gate)
                    (done, due) = ((next.Of, result, Stopwatch.GetElapsedTime(begin)), null);
                ring();
            }
        }
        catch (Exception e)
        {
            // A bug. Nobody is told who blocks any more; everything else goes on.
            log.Bug("the search for blockers", e);
        }
    }

    private void Collect(Instant now)
    {
        (RunningTransition Of, SysResult<BlockerReport> Result, TimeSpan Took) scanned;
        lock (gate)
        {
            if (done is not { } finished)
                return;
            (scanned, done) = (finished, null);
        }
        var rest = RestRatio * scanned.Took;
        nextScan = now.After(rest > Apart ? rest : Apart);
        if (scanned.Of != running)
            return;
        if (scanned.Result.IsOk)
        {
            (memory, report) = memory.Add(scanned.Result.Value);
            return;
        }
        nextScan = now.After(AfterFailure);
        log.Problem(EventKind.Blocked, $"{scanned.Of.Patch}: who blocks its transition cannot be read: {scanned.Result.WithoutValue}", patch: scanned.Of.Patch, errno: scanned.Result.Errno);
    }

    /// <summary>Once for a transition: who it was when it became overdue.</summary>
    private void Tell(BlockerReport stalled)
    {
        told = true;
        var listed = stalled.Blockers.Where(b => !b.Own).ToList();
        var who = string.Join("; ", listed.Take(MaxTold).Select(Describe));
        var more = stalled.Stalled > Math.Min(listed.Count, MaxTold) ? $"; and {stalled.Stalled - Math.Min(listed.Count, MaxTold)} more" : "";
        log.Problem(EventKind.Blocked, $"{stalled.Patch}: {stalled.Stalled} of {stalled.Total} tasks have not switched: {who}{more}", Reason.TransitionOverdue, stalled.Patch);
    }

    private static string Describe(Blocker blocker) =>
        $"{(blocker.Kthread ? "kernel thread" : blocker.Owner ?? BlockerReport.NoUnit)} {blocker.Comm} ({blocker.Task.Pid}){(blocker.PatchedFunction is { } function ? $" in {function}" : "")}";
}
