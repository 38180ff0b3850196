// Fragments → merged → Settings: the whole way from files already read to what the daemon runs with.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

public static class SettingsBuilder
{
    public const string NotInForceMessage = "this version checks the key but does not act on it yet";

    /// <param name="fragments">From the weakest to the strongest.</param>
    /// <param name="warnings">What the search for files had to say.</param>
    /// <param name="zones">The host's time zones; null where it is not asked which there are.</param>
    public static ConfigResult Build(
        ImmutableArray<ConfigFragment> fragments, ImmutableArray<ConfigError> warnings = default, IHostZones? zones = null)
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
        if (zones is not null)
            SettingsConsistency.CheckZones(merged, zones, together);
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
        var file = new ValueReader(ConfigSchema.Root, merged);
        var budget = file.Span("deferral.budget") ?? standard.Deferral.Budget;
        var critical = file.Span("deferral.critical-budget") ?? standard.Deferral.CriticalBudget;
        return new Settings(
            file.Text("mode") == "observe" ? DaemonMode.Observe : standard.Mode,
            Directories(file) ?? standard.Directories,
            GateOverrides.Read(file).Over(standard.Gates),
            new DeferralSettings(
                budget,
                file.Text("deferral.then") == "hold" ? AfterDeferral.Hold : standard.Deferral.Then,
                critical < budget ? critical : budget),
            new TransitionSettings(
                file.Span("transition.report-after"),
                file.Span("transition.reverse-after"),
                file.Whole("transition.attempts") ?? standard.Transition.Attempts,
                file.Span("transition.backoff.first") ?? standard.Transition.BackoffFirst,
                file.Span("transition.backoff.max") ?? standard.Transition.BackoffMax,
                file.Percent("transition.abort-pressure.io-full-avg10") ?? standard.Transition.AbortIoFullRatio),
            SoakOverrides.Read(file).Over(standard.Soak),
            new MetricsSettings(
                file.Text("metrics.listen") is { } listen ? (listen == "off" ? null : listen) : standard.Metrics.Listen,
                file.Text("metrics.unix-socket") ?? standard.Metrics.UnixSocket),
            Placement(file, standard.Placement),
            [])
        {
            Trust = TrustSettings.Read(file),
            Drift = file.Text("drift") == "restore" ? AfterDrift.Restore : standard.Drift,
            BootWait = file.Span("boot.wait") ?? standard.BootWait,
            StoreKeep = file.Whole("store.keep") ?? standard.StoreKeep,
        };
    }

    private static ImmutableArray<WatchedDirectory>? Directories(ValueReader file)
    {
        if (file.Maps("directories") is not { } list)
            return null;
        var directories = list
            .Where(d => d.Text("path") is not null)
            .Select(d => new WatchedDirectory(d.Text("path")!, d.Text("read-only") == "true") { Grace = d.Span("grace") ?? WatchedDirectory.DefaultGrace })
            .ToImmutableArray();
        return directories.IsEmpty ? null : directories;
    }

    private static PlacementSettings Placement(ValueReader file, PlacementSettings standard)
    {
        var number = file.Whole("placement.cpu");
        var choice = file.Text("placement.cpu") switch
        {
            null => standard.Cpu,
            "auto" => CpuChoice.Auto,
            "none" => CpuChoice.None,
            _ => CpuChoice.Fixed,
        };
        return new PlacementSettings(choice, number, file.Whole("placement.nice") ?? standard.Nice);
    }
}
