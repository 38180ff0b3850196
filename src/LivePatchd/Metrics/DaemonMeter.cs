// What the loop counts and times, and the snapshot it published last: the source of every scrape.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Loop;
using LivePatchd.Publish;

namespace LivePatchd.Metrics;

/// <summary>Thread-safe: the loop counts, scrapes read.</summary>
internal sealed class DaemonMeter(string version, TimeProvider time)
{
    private readonly MonotonicClock clock = new(time);
    private readonly Lock gate = new();

    // Every series of a counter is there with 0 before its first event: increase() needs that.
    private readonly SortedDictionary<(Operation Operation, OperationResult Result), long> transitions = new(
        (from operation in Enum.GetValues<Operation>() from result in Enum.GetValues<OperationResult>() select (operation, result)).ToDictionary(static k => k, static _ => 0L));

    private readonly SortedDictionary<(Operation Operation, OperationResult Result), DateTimeOffset> lastEnds = [];
    private readonly SortedDictionary<Gate, long> gateHolds = new(Enum.GetValues<Gate>().ToDictionary(static g => g, static _ => 0L));

    // A transition takes from tens of milliseconds to several seconds on most hosts; transition.reverse-after is 120 s by default.
    private readonly ImmutableSortedDictionary<Operation, Durations> transitionDurations =
        Enum.GetValues<Operation>().ToImmutableSortedDictionary(static o => o, static _ => new Durations(0.5, 5, 30, 120));

    private readonly Durations loadDurations = new();
    private long deferralsExhausted;
    private long kernelWarnings;
    private volatile DaemonSnapshot? snapshot;
    private volatile bool configGood = true;
    private DateTimeOffset? configLoadedAt;

    public string Version => version;

    /// <summary>Milliseconds after the process.</summary>
    public DateTimeOffset StartedAt { get; } = time.GetUtcNow();

    public long DeferralsExhausted => Interlocked.Read(ref deferralsExhausted);

    public long KernelWarnings => Interlocked.Read(ref kernelWarnings);

    public bool ConfigGood => configGood;

    public DateTimeOffset? ConfigLoadedAt
    {
        get
        {
            lock (gate)
                return configLoadedAt;
        }
    }

    public ImmutableArray<(Operation Operation, OperationResult Result, long Count)> Transitions
    {
        get
        {
            lock (gate)
                return [.. transitions.Select(static t => (t.Key.Operation, t.Key.Result, t.Value))];
        }
    }

    /// <summary>Also of the processes before this one, as far as the history knows.</summary>
    public ImmutableArray<(Operation Operation, OperationResult Result, DateTimeOffset At)> LastEnds
    {
        get
        {
            lock (gate)
            {
                var ends = new SortedDictionary<(Operation, OperationResult), DateTimeOffset>(lastEnds);
                foreach (var entry in snapshot?.History ?? [])
                {
                    var key = (entry.Operation, entry.Result);
                    // What this process has counted is newer than anything that it has read.
                    if (!lastEnds.ContainsKey(key))
                        ends[key] = entry.Time + (entry.Load ?? TimeSpan.Zero) + (entry.Transition ?? TimeSpan.Zero);
                }
                return [.. ends.Select(static e => (e.Key.Item1, e.Key.Item2, e.Value))];
            }
        }
    }

    public ImmutableArray<(Gate Gate, long Count)> GateHolds
    {
        get
        {
            lock (gate)
                return [.. gateHolds.Select(static h => (h.Key, h.Value))];
        }
    }

    public IEnumerable<(Operation Operation, DurationView View)> TransitionDurations => transitionDurations.Select(static d => (d.Key, d.Value.View()));

    public DurationView LoadDurations => loadDurations.View();

    public Reading Read() => new(snapshot, this, clock.Now());

    public void Publish(DaemonSnapshot next) => snapshot = next;

    public void ConfigLoaded(bool good)
    {
        configGood = good;
        if (!good)
            return;
        lock (gate)
            configLoadedAt = clock.Now().Wall;
    }

    public void Loaded(TimeSpan took) => loadDurations.Record(took);

    /// <param name="took">Null when the start was not seen by this process.</param>
    /// <param name="digest">Of the patch, where it is known.</param>
    /// <param name="job">That asked for it; null where nobody did.</param>
    public void TransitionEnded(Effect.Finish end, TimeSpan? took, Sha256? digest = null, uint? job = null)
    {
        var now = clock.Now().Wall;
        lock (gate)
        {
            transitions[(end.Operation, end.Result)]++;
            lastEnds[(end.Operation, end.Result)] = now;
        }
        if (took is { } time)
            transitionDurations[end.Operation].Record(time, digest is null ? null : new Exemplar(job, SeriesTable.Short(digest), now));
    }

    public void HeldBy(Gate by)
    {
        lock (gate)
            gateHolds[by]++;
    }

    public void DeferralExhausted() => Interlocked.Increment(ref deferralsExhausted);

    public void KernelWarned(long count) => Interlocked.Add(ref kernelWarnings, count);
}
