// Finds the keys that somebody set and this version does not act on: an accepted key never silently does nothing.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

internal static class NotInForce
{
    public static ImmutableArray<(string Key, ConfigPlace Place)> Find(Schema.Map schema, MapNode file)
    {
        var found = ImmutableArray.CreateBuilder<(string, ConfigPlace)>();
        Walk(schema, file, "", found);
        return found.ToImmutable();
    }

    private static void Walk(Schema.Map schema, MapNode file, string path, ImmutableArray<(string, ConfigPlace)>.Builder found)
    {
        foreach (var key in schema.Keys)
        {
            if (file.Find(key.Name) is not { } entry)
                continue;
            var full = KeySuggestion.Join(path, key.Name);
            if (key.InForce && key.Value is Schema.Map inner && entry.Value is MapNode map)
                Walk(inner, map, full, found);
            else if (!key.InForce && AsksForSomething(key, entry.Value))
                found.Add((full, entry.Place));
        }
    }

    private static bool AsksForSomething(SchemaKey key, ConfigNode value) => value switch
    {
        ScalarNode scalar => !scalar.IsNull && scalar.Text != key.Neutral,
        ListNode list => !list.Items.IsEmpty,
        MapNode map => !map.Entries.IsEmpty,
        _ => false,
    };
}
