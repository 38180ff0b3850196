// Rules between keys: values that are each in range and make no sense together.
using System.Globalization;

namespace LivePatchd.Core.Config;

internal static class SettingsConsistency
{
    public static void Check(MapNode merged, Settings settings, ErrorList errors)
    {
        var transition = settings.Transition;
        var file = new ValueReader(ConfigSchema.Root, merged);
        if (transition.BackoffFirst > transition.BackoffMax)
        {
            Report("transition.backoff.first", "transition.backoff.max",
                $"first ({DurationText.Format(transition.BackoffFirst)}) is longer than max ({DurationText.Format(transition.BackoffMax)})");
        }
        if (transition.SetReverseAfter <= transition.ReportAfter)
        {
            Report("transition.reverse-after", "transition.report-after",
                $"must be longer than report-after ({DurationText.Format(transition.ReportAfter)})");
        }
        // Defaults give way to the other key, and the shipped file spells them out; only a value that somebody chose can be wrong.
        var standard = Settings.Default;
        if (file.Span("deferral.critical-budget") is { } critical && critical != standard.Deferral.CriticalBudget && critical > settings.Deferral.Budget)
        {
            Report("deferral.critical-budget", "deferral.budget",
                $"must not be longer than budget ({DurationText.Format(settings.Deferral.Budget)})");
        }
        if (file.Number("gates.load.reopen-below") is { } reopen && reopen != standard.Gates.Load.ReopenBelowRatio && reopen > settings.Gates.Load.MaxPerCpuRatio)
            Report("gates.load.reopen-below", "gates.load.max-per-cpu", "must not be higher than max-per-cpu, or the gate would flap");
        if (settings.Gates.Windows.Any(w => w.Length <= settings.Gates.Settle))
        {
            Report("gates.settle", "gates.windows",
                $"{DurationText.Format(settings.Gates.Settle)} must be shorter than every window, or one would close before the gates have settled");
        }
        if (settings.Soak is { Confirm: SoakConfirm.Manual, Duration.Ticks: 0 })
            Report("soak.confirm", "soak.duration", "manual needs a soak.duration in which somebody can confirm");
        CheckDirectories(merged, errors);

        // Both values are looked at together, so the one that somebody wrote is the one to name.
        void Report(string key, string other, string message)
        {
            var (named, entry) = ConfigPath.Find(merged, key) is { } own ? (key, own) : (other, ConfigPath.Find(merged, other));
            if (entry is not null)
                errors.Add(entry.Place, named, named == key ? message : $"{key}: {message}");
        }
    }

    /// <summary>A window in a zone that nobody knows would never be judged.</summary>
    public static void CheckZones(MapNode merged, IHostZones zones, ErrorList errors)
    {
        if (ConfigPath.Find(merged, "gates.windows")?.Value is not ListNode list)
            return;
        for (var i = 0; i < list.Items.Length; i++)
        {
            if (list.Items[i] is not MapNode map || map.Find("timezone") is not { Value: ScalarNode zone } entry || ScalarRules.TimeZoneName(zone.Text) is not null || zones.Has(zone.Text))
                continue;
            var hint = KeySuggestion.Nearest(zone.Text, zones.Names) is { } near ? $"; {KeySuggestion.Ask(near)}" : "";
            errors.Add(entry.Place, string.Create(CultureInfo.InvariantCulture, $"gates.windows[{i}].timezone"), $"{ConfigText.Quote(zone.Text)} is no time zone of this host{hint}");
        }
    }

    private static void CheckDirectories(MapNode merged, ErrorList errors)
    {
        if (merged.Find("directories")?.Value is not ListNode list)
            return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Items.Length; i++)
        {
            if (list.Items[i] is MapNode map && map.Find("path") is { Value: ScalarNode path } entry && !seen.Add(path.Text))
                errors.Add(entry.Place, string.Create(CultureInfo.InvariantCulture, $"directories[{i}].path"), "this directory is listed twice");
        }
    }
}
