// A machine under pressure, for samples: io stalls all the time, every other counter goes up by one a sample.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;

namespace LivePatchd.EndToEnd.Tests;

/// <param name="complete">False: nothing is known of memory, of `full` on cpu and of the network.</param>
internal sealed class Machine(bool complete = false)
{
    private int samples;

    public int Samples => Volatile.Read(ref samples);

    public PressureSample Read(Instant now)
    {
        var count = (ulong)Interlocked.Increment(ref samples);
        var line = new PsiLine(0, 0, 0, now.Monotonic);
        var reading = new PsiReading(line, line);
        return new PressureSample(
            now, reading, reading with { Full = null }, complete ? reading : null, null, 1, complete ? new TcpCounters(count, count) : null, count, 0, 0);
    }
}

internal static class Measuring
{
    public static ImmutableArray<HistoryEntry> Entries(this TestHost host, string name = "") =>
        ImpactJson.ReadHistory(System.Text.Encoding.UTF8.GetBytes(host.View.History(name))) ?? throw new InvalidOperationException("no history");

    /// <summary>The load lasts until it has been sampled: a real one is slower than the one here.</summary>
    public static async Task Drop(this TestHost host, Machine machine, Patch patch)
    {
        var before = machine.Samples;
        host.Kernel.LoadGate.Reset();
        host.Drop(patch);
        await Limit.Until(() => machine.Samples > before, () => host.Log.Text);
        host.Kernel.LoadGate.Set();
        await host.Becomes(patch.Name, "active");
    }

    /// <summary>Waits for so many entries; the seconds that are watched after an end need not be waited for. The latest one.</summary>
    public static async Task<HistoryEntry> Entry(this TestHost host, int count)
    {
        ImmutableArray<HistoryEntry> entries = [];
        await Limit.Until(
            () =>
            {
                host.Time.Skip(TimeSpan.FromSeconds(1));
                return (entries = host.Entries()).Length == count;
            },
            () => $"{entries.Length} entries, expected {count}. {host.Log.Text}");
        return entries[^1];
    }
}
