// Rules between keys: values that are each in range and make no sense together.
using System.Globalization;

namespace LivePatchd.Core.Config;

internal static class SettingsConsistency
{
    public static void Check(MapNode merged, Settings settings, ErrorList errors)
    {
        var transition = settings.Transition;
        if (transition.BackoffFirst > transition.BackoffMax)
        {
            Report("transition.backoff.first", "transition.backoff.max",
                $"first ({DurationText.Format(transition.BackoffFirst)}) is longer than max ({DurationText.Format(transition.BackoffMax)})");
        }
        if (Span("transition.reverse-after") is { } reverse && reverse <= transition.ReportAfter)
        {
            Report("transition.reverse-after", "transition.report-after",
                $"must be longer than report-after ({DurationText.Format(transition.ReportAfter)})");
        }
        if (Span("deferral.critical-budget") is { } critical && Span("deferral.budget") is { } budget && critical > budget)
            Report("deferral.critical-budget", "deferral.budget", $"must not be longer than budget ({DurationText.Format(budget)})");
        if (Number("gates.load.reopen-below") is { } reopen && Number("gates.load.max-per-cpu") is { } max && reopen > max)
            Report("gates.load.reopen-below", "gates.load.max-per-cpu", "must not be higher than max-per-cpu, or the gate would flap");
        CheckDirectories(merged, errors);

        // Both values are looked at together, so the one that somebody wrote is the one to name.
        void Report(string key, string other, string message)
        {
            var (named, entry) = ConfigPath.Find(merged, key) is { } own ? (key, own) : (other, ConfigPath.Find(merged, other));
            if (entry is not null)
                errors.Add(entry.Place, named, named == key ? message : $"{key}: {message}");
        }

        TimeSpan? Span(string key) => ConfigPath.Find(merged, key)?.Value is ScalarNode s ? DurationText.TryParse(s.Text) : null;

        decimal? Number(string key) => ConfigPath.Find(merged, key)?.Value is ScalarNode s
            && decimal.TryParse(s.Text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n) ? n : null;
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
