// The operations of the past, oldest first: so many a patch, so many in all, the oldest forgotten first.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Impact;

public static class History
{
    public const int MaxPerPatch = 20;
    public const int MaxEntries = 200;

    /// <summary>Order of arrival, not of the clock: clocks jump.</summary>
    public static ImmutableArray<HistoryEntry> Add(ImmutableArray<HistoryEntry> entries, HistoryEntry entry) => Bounded(entries.Add(entry));

    public static ImmutableArray<HistoryEntry> Bounded(ImmutableArray<HistoryEntry> entries)
    {
        var counts = new Dictionary<PatchName, int>();
        var kept = new List<HistoryEntry>();
        for (var i = entries.Length - 1; i >= 0 && kept.Count < MaxEntries; i--)
        {
            var count = counts[entries[i].Patch] = counts.GetValueOrDefault(entries[i].Patch) + 1;
            if (count <= MaxPerPatch)
                kept.Add(entries[i]);
        }
        kept.Reverse();
        return [.. kept];
    }

    /// <summary>Null when nothing is known of the patch.</summary>
    public static HistoryEntry? Latest(ImmutableArray<HistoryEntry> entries, PatchName patch)
    {
        for (var i = entries.Length - 1; i >= 0; i--)
        {
            if (entries[i].Patch == patch)
                return entries[i];
        }
        return null;
    }
}
