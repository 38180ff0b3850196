// Fragments → merged → Settings: the whole way from files already read to what the daemon runs with.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

public static class SettingsBuilder
{
    public const string NotInForceMessage = "this version checks the key but does not act on it yet";

    /// <param name="fragments">From the weakest to the strongest.</param>
    /// <param name="warnings">What the search for files had to say.</param>
    public static ConfigResult Build(ImmutableArray<ConfigFragment> fragments, ImmutableArray<ConfigError> warnings = default)
    {
        var errors = ImmutableArray.CreateBuilder<ConfigError>();
        foreach (var fragment in fragments)
        {
            errors.AddRange(fragment.Errors);
            var found = new ErrorList();
            SchemaCheck.Run(ConfigSchema.Root, fragment.Root, found);
            errors.AddRange(found.ToImmutable());
        }
        var merged = ConfigMerge.All(fragments.Select(f => f.Root));
        var notInForce = NotInForce.Find(ConfigSchema.Root, merged);
        var settings = Read(merged) with { NotInForce = [.. notInForce.Select(k => k.Key)] };
        var together = new ErrorList();
        SettingsConsistency.Check(merged, settings, together);
        errors.AddRange(together.ToImmutable());
        return new ConfigResult(
            errors.Count == 0 ? settings : settings with { Mode = DaemonMode.Observe },
            errors.ToImmutable(),
            [
                .. warnings.IsDefault ? [] : warnings,
                .. notInForce.Select(k => new ConfigError(k.Place.File, k.Place.Line, k.Key, NotInForceMessage)),
            ],
            ConfigOrigins.List(ConfigSchema.Root, merged));
    }

    private static Settings Read(MapNode merged)
    {
        var standard = Settings.Default;
        return new Settings(
            Text(merged, "mode") == "observe" ? DaemonMode.Observe : standard.Mode,
            Directories(merged) ?? standard.Directories,
            new TransitionSettings(
                Span(merged, "transition.report-after") ?? standard.Transition.ReportAfter,
                Span(merged, "transition.backoff.first") ?? standard.Transition.BackoffFirst,
                Span(merged, "transition.backoff.max") ?? standard.Transition.BackoffMax),
            new MetricsSettings(
                Text(merged, "metrics.listen") is { } listen ? (listen == "off" ? null : listen) : standard.Metrics.Listen,
                Text(merged, "metrics.unix-socket") ?? standard.Metrics.UnixSocket),
            []);
    }

    private static ImmutableArray<WatchedDirectory>? Directories(MapNode merged)
    {
        var schema = ((Schema.List)ConfigPath.Key(ConfigSchema.Root, "directories").Value).Item;
        if (merged.Find("directories")?.Value is not ListNode list)
            return null;
        var directories = list.Items
            .OfType<MapNode>()
            .Select(d => (Path: Valid(schema, d, "path"), ReadOnly: Valid(schema, d, "read-only")))
            .Where(d => d.Path is not null)
            .Select(d => new WatchedDirectory(d.Path!, d.ReadOnly == "true"))
            .ToImmutableArray();
        return directories.IsEmpty ? null : directories;
    }

    private static TimeSpan? Span(MapNode merged, string path) =>
        Text(merged, path) is { } text ? DurationText.TryParse(text) : null;

    /// <summary>Null when the key is not set, or set to something its rule refuses (reported already).</summary>
    private static string? Text(MapNode merged, string path) =>
        ConfigPath.Key(ConfigSchema.Root, path).Value is Schema.Scalar scalar
        && ConfigPath.Find(merged, path)?.Value is ScalarNode { IsNull: false } node
        && scalar.Rule(node.Text) is null
            ? node.Text
            : null;

    private static string? Valid(Schema schema, MapNode map, string key) =>
        ((Schema.Map)schema).Keys.First(k => k.Name == key).Value is Schema.Scalar scalar
        && map.Find(key)?.Value is ScalarNode { IsNull: false } node
        && scalar.Rule(node.Text) is null
            ? node.Text
            : null;
}
