// Gauges of what the last operation on each patch cost: a bounded number of patches, those of the latest operations.
using System.Diagnostics.Metrics;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Publish;

namespace LivePatchd.Metrics;

internal static class ImpactGauges
{
    /// <summary>Eight series each, and a host has at most 200 in all.</summary>
    public const int MaxPatches = 8;

    public static void Create(Meter meter, Func<DaemonSnapshot?> snapshot)
    {
        Stall("livepatchd.impact.io.stall", "Time in which some task waited for io", static d => d.IoStall);
        Stall("livepatchd.impact.cpu.stall", "Time in which some task waited for a cpu", static d => d.CpuStall);
        Stall("livepatchd.impact.memory.stall", "Time in which some task waited for memory", static d => d.MemoryStall);
        Count("livepatchd.impact.tcp.retransmits", "TCP segments sent again", static d => d.RetransmittedSegments);
        Count("livepatchd.impact.softirq.squeezes", "Times the network softirq ran out of its budget", static d => d.SoftirqSqueezes);
        Count("livepatchd.impact.kernel.oopses", "Oopses of the kernel", static d => d.Oopses);
        Count("livepatchd.impact.kernel.warnings", "Warnings of the kernel", static d => d.Warnings);
        Gauge("livepatchd.impact.longest.stall", "s", "Longest time without a pause in which some task waited for io or memory", static r => r.LongestStall?.TotalSeconds);

        void Stall(string name, string what, Func<PressureDelta, TimeSpan?> get) =>
            Gauge(name, "s", what, r => r.During is { } during ? get(during)?.TotalSeconds : null);

        void Count(string name, string what, Func<PressureDelta, ulong?> get) =>
            Gauge(name, null, what, r => r.During is { } during ? get(during) : null);

        void Gauge(string name, string? unit, string what, Func<ImpactReport, double?> get) =>
            meter.CreateObservableGauge(name, () => Measure(snapshot(), get), unit, $"{what} during the last load and transition, or revert.");
    }

    /// <summary>What is unknown has no series.</summary>
    private static IEnumerable<Measurement<double>> Measure(DaemonSnapshot? snapshot, Func<ImpactReport, double?> get)
    {
        if (snapshot is null)
            yield break;
        var inView = snapshot.Patches.Select(static p => p.Name).ToHashSet();
        // The order of the history, not of the clock.
        foreach (var entry in snapshot.History.Reverse().DistinctBy(static e => e.Patch).Where(e => inView.Contains(e.Patch)).Take(MaxPatches))
        {
            if (get(entry.Impact) is { } value)
                yield return new Measurement<double>(value, new KeyValuePair<string, object?>("patch", entry.Patch.Value));
        }
    }
}
