// Lists every effective key with its value and the line it came from, defaults included.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

internal static class ConfigOrigins
{
    public static ImmutableArray<ConfigOrigin> List(Schema.Map schema, MapNode merged)
    {
        var origins = ImmutableArray.CreateBuilder<ConfigOrigin>();
        Walk(schema, merged, "", origins);
        return origins.ToImmutable();
    }

    private static void Walk(Schema.Map schema, MapNode? file, string path, ImmutableArray<ConfigOrigin>.Builder origins)
    {
        foreach (var key in schema.Keys)
        {
            var full = KeySuggestion.Join(path, key.Name);
            var entry = file?.Find(key.Name);
            if (key.Value is Schema.Map inner)
                Walk(inner, entry?.Value as MapNode, full, origins);
            else if (entry is not null and not { Value: BrokenNode })
                origins.Add(new ConfigOrigin(full, ConfigText.Render(entry.Value), entry.Place.File, entry.Place.Line));
            else if (key.Default is { } standard)
                origins.Add(new ConfigOrigin(full, standard, File: null, Line: 0));
        }
    }
}
