// What a daemon on a fake kernel has measured, waited for as its clients see it.
using System.Collections.Immutable;
using LivePatchd.Core.Policy.Impact;

namespace LivePatchd.EndToEnd.Tests;

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
