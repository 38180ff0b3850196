// The contract's instruments: counters and histograms fed by the loop, gauges read from the last snapshot.
using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Loop;
using LivePatchd.Publish;

namespace LivePatchd.Metrics;

internal sealed class DaemonMeter : IDisposable
{
    public const string Name = "livepatchd";

    // A transition takes from tens of milliseconds on an idle host to for ever; a load is a fraction of a second to several.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 600],
    };

    private readonly Meter meter = new(Name);
    // Observed, so that every series is there with 0 before its first event: increase() needs that.
    private readonly ImmutableSortedDictionary<(Operation Operation, OperationResult Result), StrongBox<long>> transitions = ImmutableSortedDictionary.CreateRange(
        from operation in Enum.GetValues<Operation>() from result in Enum.GetValues<OperationResult>() select KeyValuePair.Create((operation, result), new StrongBox<long>()));
    private readonly ImmutableSortedDictionary<Gate, StrongBox<long>> gateHolds = ImmutableSortedDictionary.CreateRange(
        Enum.GetValues<Gate>().Select(static g => KeyValuePair.Create(g, new StrongBox<long>())));
    private readonly Histogram<double> transitionDuration;
    private readonly Histogram<double> loadDuration;
    private long deferralsExhausted;
    private long kernelWarnings;
    private volatile DaemonSnapshot? snapshot;
    private volatile bool configGood = true;

    private readonly MonotonicClock clock;

    public DaemonMeter(string version, TimeProvider time)
    {
        clock = new MonotonicClock(time);
        meter.CreateObservableCounter("livepatchd.transitions", Transitions, null, "Applies and reverts that ended.");
        transitionDuration = meter.CreateHistogram(
            "livepatchd.transition.duration", "s", "From the start of an apply or revert to its end.", advice: Seconds);
        loadDuration = meter.CreateHistogram(
            "livepatchd.load.duration", "s", "Time inside finit_module.", advice: Seconds);
        meter.CreateObservableCounter("livepatchd.gate.holds", GateHolds, null, "Times a patch began to be held back by the gate.");
        meter.CreateObservableCounter(
            "livepatchd.deferral.exhausted", () => Interlocked.Read(ref deferralsExhausted), null, "Patches whose deferral budget ended while a gate was closed.");
        meter.CreateObservableCounter(
            "livepatchd.kernel.warnings.after.load", () => Interlocked.Read(ref kernelWarnings), null, "Kernel warnings counted while a patch was on probation.");
        meter.CreateObservableGauge("livepatchd.gate.open", GateOpen, null, "1 for each gate that is open.");
        meter.CreateObservableGauge("livepatchd.patch.info", PatchInfo, null, "1 for each patch in view.");
        meter.CreateObservableGauge("livepatchd.patches", Patches, null, "Patches by state.");
        meter.CreateObservableGauge("livepatchd.transition.in.progress", () => snapshot?.Host.TransitionPatch is null ? 0 : 1, null, "1 while the kernel has a transition running.");
        meter.CreateObservableGauge("livepatchd.stalled.tasks", () => snapshot?.Blocking?.StalledTasks ?? 0, null, "Tasks that have not switched while a transition is overdue; 0 otherwise.");
        meter.CreateObservableGauge("livepatchd.quarantined.patches", () => Count(PatchState.Quarantined), null, "Patches under quarantine.");
        meter.CreateObservableGauge("livepatchd.patches.under.evidence", UnderEvidence, null, "Patches that a finding of this grade stands against, or whose soak it prolonged.");
        meter.CreateObservableGauge("livepatchd.oldest.pending", OldestPending, "s", "Age of the oldest wanted patch that is not active; 0 when none waits.");
        meter.CreateObservableGauge("livepatchd.reconcile.last.success.timestamp", LastSuccess, "s", "Unix time of the last completed look.");
        meter.CreateObservableGauge("livepatchd.config.last.reload.successful", () => configGood ? 1 : 0, null, "1 when the configuration in force is the one on disk.");
        meter.CreateObservableGauge("livepatchd.host.condition", HostCondition, null, "1 for each thing that is not as usual on the host as a whole.");
        ImpactGauges.Create(meter, () => snapshot);
        meter.CreateObservableGauge("livepatchd.build.info", () => new Measurement<int>(1, new KeyValuePair<string, object?>("version", version)), null, "1, with the version.");
    }

    public void Publish(DaemonSnapshot next) => snapshot = next;

    public void ConfigLoaded(bool good) => configGood = good;

    public void Loaded(TimeSpan took) => loadDuration.Record(took.TotalSeconds);

    /// <param name="took">Null when the start was not seen by this process.</param>
    public void TransitionEnded(Effect.Finish end, TimeSpan? took)
    {
        Interlocked.Increment(ref transitions[(end.Operation, end.Result)].Value);
        if (took is { } time)
            transitionDuration.Record(time.TotalSeconds);
    }

    public void HeldBy(Gate gate) => Interlocked.Increment(ref gateHolds[gate].Value);

    public void DeferralExhausted() => Interlocked.Increment(ref deferralsExhausted);

    public void KernelWarned(long count) => Interlocked.Add(ref kernelWarnings, count);

    public void Dispose() => meter.Dispose();

    private int Count(PatchState state) => snapshot?.Patches.Count(p => p.State == state) ?? 0;

    private IEnumerable<Measurement<long>> Transitions() => transitions.Select(static t => new Measurement<long>(
        Interlocked.Read(ref t.Value.Value),
        new KeyValuePair<string, object?>("operation", ImpactJson.Word(t.Key.Operation)),
        new KeyValuePair<string, object?>("result", ImpactJson.Word(t.Key.Result))));

    private IEnumerable<Measurement<long>> GateHolds() => gateHolds.Select(static g => new Measurement<long>(
        Interlocked.Read(ref g.Value.Value), new KeyValuePair<string, object?>("gate", g.Key.Word())));

    private IEnumerable<Measurement<int>> Patches() =>
        Enum.GetValues<PatchState>().Select(s => new Measurement<int>(Count(s), new KeyValuePair<string, object?>("state", s.Word())));

    private IEnumerable<Measurement<int>> UnderEvidence() => Enum.GetValues<EvidenceGrade>().Select(g => new Measurement<int>(
        snapshot?.Patches.Count(p => p.Grade == g) ?? 0, new KeyValuePair<string, object?>("grade", g.Word())));

    private IEnumerable<Measurement<int>> HostCondition() => HostConditions.Table.Select(row => new Measurement<int>(
        snapshot?.Host.Conditions.Any(c => c.Reason == row.Reason) == true ? 1 : 0, new KeyValuePair<string, object?>("reason", row.Reason.Word())));

    private IEnumerable<Measurement<int>> GateOpen() =>
        (snapshot?.Gates.Gates ?? []).Select(g => new Measurement<int>(g.Open ? 1 : 0, new KeyValuePair<string, object?>("gate", g.Gate.Word())));

    private IEnumerable<Measurement<int>> PatchInfo()
    {
        foreach (var p in snapshot?.Patches ?? [])
        {
            yield return new Measurement<int>(
                1,
                new("patch", p.Name.Value),
                new("sha256", p.Digest?.Hex ?? ""),
                new("kernel", p.KernelRelease),
                new("state", p.State.Word()));
        }
    }

    private double OldestPending()
    {
        if (snapshot is not { } now)
            return 0;
        // By the clock that nobody sets: a host that boots with the year 1970 would have waited for decades.
        var moment = clock.Now();
        return now.Patches.Select(p => p.PendingSince is { } since ? moment.Since(since).TotalSeconds : 0).DefaultIfEmpty(0).Max();
    }

    private double LastSuccess() => snapshot is { } now ? (now.At.Wall - DateTimeOffset.UnixEpoch).TotalSeconds : 0;
}
