// The thread that samples the machine ten times a second while a patch is loaded, in transition or taken out, and sleeps otherwise.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Log;
using LivePatchd.Systemd;

namespace LivePatchd.Loop;

/// <summary>
/// Begin, Next and End only note the moment and wake the thread: nobody waits for a sample or for the disk. The last sample taken
/// before the begin is the first of the operation when it is fresh, so that the begin itself is inside.
/// </summary>
/// <param name="read">Reads every source once; called on the recorder's thread.</param>
/// <param name="start">Null but in tests, as for <see cref="SpareThread"/>.</param>
internal sealed class ImpactRecorder(
    Func<Instant, PressureSample> read, MonotonicClock clock, HistoryBook history, DaemonLog log, Action<Thread>? start = null) : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(250);

    /// <summary>"The minute before", and how far apart its samples are kept.</summary>
    private static readonly TimeSpan Minute = TimeSpan.FromSeconds(65);

    private static readonly TimeSpan IdleApart = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly AutoResetEvent edge = new(initialState: false);
    private readonly Queue<PressureSample> idle = new();
    private readonly Queue<Measurement> complete = new();
    private Measurement? current;
    private PressureSample? latest;
    private Instant? idleKept;
    private volatile bool stopping;
    private bool hasFirst;
    private SpareThread? thread;

    /// <summary>On the recorder's thread: the history has an entry more, or was read.</summary>
    public event Action? Changed;

    /// <summary>On the recorder's thread: a sample was taken while something runs.</summary>
    public event Action<PressureSample>? Sampled;

    /// <summary>Oldest first.</summary>
    public ImmutableArray<HistoryEntry> History => history.Entries;

    /// <summary>What is being measured, until its end.</summary>
    public (PatchName Patch, Operation Operation, ImpactPhase Phase)? Running
    {
        get
        {
            lock (gate)
                return current is { Ended: false } c ? (c.Name, c.Operation, c.Phase) : null;
        }
    }

    public void Start()
    {
        thread ??= new SpareThread("impact", Run, log, start);
        thread.Start();
    }

    /// <summary>A sample that somebody took anyway, about every ten seconds or more often: what later operations are compared with.</summary>
    public void RecordIdle(in PressureSample sample)
    {
        lock (gate)
        {
            latest = sample;
            if (idleKept is { } kept && sample.At.Since(kept) < IdleApart)
                return;
            idleKept = sample.At;
            idle.Enqueue(sample);
            Forget(sample.At);
        }
    }

    /// <summary>An operation that was still running is taken for turned round.</summary>
    public void Begin(PatchName name, Sha256? digest, Operation operation, ImpactPhase phase)
    {
        thread?.Start(); // Where it could not be had before.
        var now = clock.Now();
        lock (gate)
        {
            if (current is { } old)
            {
                if (!old.Ended)
                    old.End(OperationResult.Reversed, now);
                complete.Enqueue(old);
            }
            Forget(now);
            current = new Measurement(name, digest, operation, phase, now, [.. idle]);
            if (latest is { } last && now.Since(last.At) <= Fresh)
            {
                current.Take(last, edge: true);
                hasFirst = true;
            }
            else
                latest = null;
        }
        edge.Set();
    }

    /// <summary>Why the operation that runs is a revert, or has become one.</summary>
    /// <param name="grade">Of the finding that is behind it; null where there is none.</param>
    public void Explain(Reason? why, string? detail, EvidenceGrade? grade = null)
    {
        lock (gate)
        {
            if (current is { Ended: false })
                current.Cause = (why, detail, grade);
        }
    }

    public void Next(ImpactPhase phase)
    {
        var now = clock.Now();
        lock (gate)
        {
            if (current is not { Ended: false } || current.Phase == phase)
                return;
            current.Next(phase, now);
        }
        edge.Set();
    }

    public void End(OperationResult result)
    {
        var now = clock.Now();
        lock (gate)
        {
            if (current is not { Ended: false })
                return;
            current.End(result, now);
        }
        edge.Set();
    }

    /// <summary>Nothing came of it: no entry is made.</summary>
    public void Abandon()
    {
        lock (gate)
        {
            if (current is { Ended: false })
                current = null;
        }
    }

    /// <summary>What ended is written down with the samples there are; what is still running is the next process's to see the end of.</summary>
    public void Dispose()
    {
        stopping = true;
        edge.Set();
        // Reading /proc may hang as a whole machine hangs; stopping does not wait for that.
        if (thread?.Join(TimeSpan.FromSeconds(2)) != false)
        {
            edge.Dispose();
            history.Dispose();
        }
    }

    private void Run()
    {
        Guard(() =>
        {
            history.Open();
            if (!history.Entries.IsEmpty)
                Changed?.Invoke();
        });
        while (!stopping)
        {
            bool busy;
            lock (gate)
                busy = current is not null;
            // Asleep without a limit when there is nothing to measure.
            var signalled = busy ? edge.WaitOne(Period) : edge.WaitOne();
            if (Interlocked.Exchange(ref hasFirst, false))
                continue; // The sample at the gate is the first: the next is due in a period, and not in the way of the call.
            if (!stopping && !Guard(() => Sample(signalled)))
                CutShort();
            Guard(WriteDown);
        }
        CutShort();
        Guard(WriteDown);
        Guard(history.Save);
    }

    /// <summary>No more samples will come: what has ended is complete as it stands.</summary>
    private void CutShort()
    {
        lock (gate)
        {
            if (current is not { Ended: true } ended)
                return;
            complete.Enqueue(ended);
            current = null;
        }
    }

    private void Sample(bool signalled)
    {
        Measurement? of;
        lock (gate)
            of = current;
        if (of is null)
            return;
        var sample = read(clock.Now());
        if (!of.Ended)
            Sampled?.Invoke(sample);
        lock (gate)
        {
            if (of != current)
                return;
            latest = sample;
            if (!of.Take(sample, signalled))
                return;
            complete.Enqueue(of);
            current = null;
        }
    }

    private void WriteDown()
    {
        while (true)
        {
            Measurement? ended;
            bool quiet;
            lock (gate)
            {
                complete.TryDequeue(out ended);
                quiet = current is null;
            }
            if (ended is not null)
            {
                history.Add(ended.Report());
                if (!stopping)
                    Changed?.Invoke();
                continue;
            }
            // Writing syncs the disk, and an operation that is measured must not find our own io in its figures.
            if (quiet)
                history.Save();
            return;
        }
    }

    private void Forget(Instant now)
    {
        while (idle.TryPeek(out var oldest) && now.Since(oldest.At) > Minute)
            idle.Dequeue();
    }

    /// <summary>A bug here costs a figure, never a patch.</summary>
    private bool Guard(Action work)
    {
        try
        {
            work();
            return true;
        }
        catch (Exception e)
        {
            log.Bug("measuring the impact", e);
            return false;
        }
    }
}
