// Lays fragments over each other, later ones on top: maps merge by key, everything else is replaced.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

internal static class ConfigMerge
{
    public static MapNode All(IEnumerable<MapNode> fragments) =>
        fragments.Aggregate(new MapNode(new ConfigPlace("", 0), []), Lay);

    private static MapNode Lay(MapNode under, MapNode over)
    {
        var entries = under.Entries.ToBuilder();
        foreach (var entry in over.Entries)
        {
            var at = under.Entries.FindIndex(entry.Key);
            if (at < 0)
                entries.Add(entry);
            else
                entries[at] = Lay(under.Entries[at], entry);
        }
        return over with { Entries = entries.ToImmutable() };
    }

    private static MapEntry Lay(MapEntry under, MapEntry over) => (under.Value, over.Value) switch
    {
        (MapNode low, MapNode high) => over with { Value = Lay(low, high) },
        // An empty section sets nothing; it must not wipe out what is beneath.
        (MapNode, ScalarNode { IsNull: true }) => under,
        (_, BrokenNode) => under,
        _ => over,
    };

    private static int FindIndex(this ImmutableArray<MapEntry> entries, string key)
    {
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].Key == key)
                return i;
        }
        return -1;
    }
}
