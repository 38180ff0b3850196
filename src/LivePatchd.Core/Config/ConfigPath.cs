// Follows a dotted key such as transition.backoff.first through a schema or through a file.
namespace LivePatchd.Core.Config;

internal static class ConfigPath
{
    /// <exception cref="InvalidOperationException">There is no such key: a mistake in this program.</exception>
    public static SchemaKey Key(Schema.Map schema, string path)
    {
        var parts = path.Split('.');
        foreach (var part in parts[..^1])
            schema = (Schema.Map)schema.Keys.First(k => k.Name == part).Value;
        return schema.Keys.First(k => k.Name == parts[^1]);
    }

    public static MapEntry? Find(MapNode file, string path)
    {
        var parts = path.Split('.');
        foreach (var part in parts[..^1])
        {
            if (file.Find(part)?.Value is not MapNode inner)
                return null;
            file = inner;
        }
        return file.Find(parts[^1]);
    }
}
