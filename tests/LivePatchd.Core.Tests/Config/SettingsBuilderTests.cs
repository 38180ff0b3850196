// The schema's defaults are the program's defaults, and a configuration with errors never leads to action.
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Tests.Config;

public sealed class SettingsBuilderTests
{
    [Fact]
    public void Nothing_at_all_is_the_defaults()
    {
        var result = SettingsBuilder.Build([]);
        Assert.Empty(result.Errors);
        Assert.Empty(result.Warnings);
        Assert.Equivalent(Settings.Default, result.Settings, strict: true);
    }

    [Fact]
    public void Every_key_in_force_shows_its_default()
    {
        var expected = new Dictionary<string, string>
        {
            ["mode"] = Settings.Default.Mode == DaemonMode.Apply ? "apply" : "observe",
            ["directories"] = $"[{{path: {Settings.Default.Directories.Single().Path}}}]",
            ["transition.report-after"] = DurationText.Format(Settings.Default.Transition.ReportAfter),
            ["transition.backoff.first"] = DurationText.Format(Settings.Default.Transition.BackoffFirst),
            ["transition.backoff.max"] = DurationText.Format(Settings.Default.Transition.BackoffMax),
            ["metrics.listen"] = Settings.Default.Metrics.Listen!,
            ["metrics.unix-socket"] = Settings.Default.Metrics.UnixSocket,
        };
        var origins = SettingsBuilder.Build([]).Origins;
        Assert.Equal(expected, origins.ToDictionary(o => o.Key, o => o.Value));
        Assert.All(origins, o => Assert.Null(o.File));
    }

    [Fact]
    public void A_file_that_cannot_be_read_leads_to_observing()
    {
        var result = SettingsBuilder.Build([ConfigFragment.Unreadable("/etc/x.yaml", 0, "no")]);
        Assert.Equal(DaemonMode.Observe, result.Settings.Mode);
        Assert.Equal(["/etc/x.yaml:0: -: no"], ConfigReport.Lines(result));
    }
}
