// The schema's defaults are the program's defaults, and a configuration with errors never leads to action.
using System.Globalization;
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
        var gates = Settings.Default.Gates;
        var expected = new Dictionary<string, string>
        {
            ["mode"] = Settings.Default.Mode == DaemonMode.Apply ? "apply" : "observe",
            ["directories"] = $"[{{path: {Settings.Default.Directories.Single().Path}}}]",
            ["gates.load.max-per-cpu"] = Number(gates.Load.MaxPerCpuRatio, "0.0"),
            ["gates.load.reopen-below"] = Number(gates.Load.ReopenBelowRatio, "0.0"),
            ["gates.io-pressure.some-avg10"] = Number(100 * gates.Io.SomeRatio),
            ["gates.io-pressure.full-avg10"] = Number(100 * gates.Io.FullRatio),
            ["gates.io-pressure.reopen-ratio"] = Number(gates.Io.ReopenRatio),
            ["gates.cpu-pressure.some-avg10"] = Number(100 * gates.Cpu.SomeRatio),
            ["gates.memory-pressure.some-avg10"] = Number(100 * gates.Memory.SomeRatio),
            ["gates.memory-pressure.full-avg10"] = Number(100 * gates.Memory.FullRatio),
            ["gates.network.max-retransmit-ratio"] = Number(gates.Network.RetransmitRatio),
            ["gates.network.max-squeezes-per-second"] = Number(gates.Network.SqueezesPerSecond),
            ["gates.windows"] = gates.Windows.IsEmpty ? "[]" : "some",
            ["gates.min-uptime"] = DurationText.Format(gates.MinUptime),
            ["gates.settle"] = DurationText.Format(gates.Settle),
            ["gates.unavailable"] = gates.Unavailable == WhenUnavailable.Hold ? "hold" : "apply",
            ["deferral.budget"] = DurationOf(Settings.Default.Deferral.Budget, "24h"),
            ["deferral.then"] = Settings.Default.Deferral.Then == AfterDeferral.Apply ? "apply" : "hold",
            ["deferral.critical-budget"] = DurationText.Format(Settings.Default.Deferral.CriticalBudget),
            ["transition.report-after"] = Settings.Default.Transition.SetReportAfter is null ? "auto" : "set",
            ["transition.reverse-after"] = Settings.Default.Transition.SetReverseAfter is null ? "auto" : "set",
            ["transition.attempts"] = Number(Settings.Default.Transition.Attempts),
            ["transition.backoff.first"] = DurationText.Format(Settings.Default.Transition.BackoffFirst),
            ["transition.backoff.max"] = DurationText.Format(Settings.Default.Transition.BackoffMax),
            ["transition.abort-pressure.io-full-avg10"] = Number(100 * Settings.Default.Transition.AbortIoFullRatio),
            ["trust.require"] = Settings.Default.Trust.Require is TrustRequirement.None ? "none" : "some",
            ["trust.certificates"] = Settings.Default.Trust.Certificates,
            ["trust.owner"] = Settings.Default.Trust.Owner,
            ["soak.duration"] = DurationText.Format(Settings.Default.Soak.Duration),
            ["soak.on-failure"] = "revert",
            ["soak.quarantine"] = DurationOf(Settings.Default.Soak.Quarantine, "24h"),
            ["soak.confirm"] = Settings.Default.Soak.Confirm == SoakConfirm.Automatic ? "automatic" : "manual",
            ["soak.checks.warnings"] = Word(Settings.Default.Soak.Checks.Warnings),
            ["soak.checks.oops"] = Word(Settings.Default.Soak.Checks.Oops),
            ["soak.checks.units"] = Word(Settings.Default.Soak.Checks.Units),
            ["soak.checks.pressure"] = Word(Settings.Default.Soak.Checks.Pressure),
            ["soak.checks.coincidental-units"] = $"[{string.Join(", ", Settings.Default.Soak.Checks.Coincidental.Select(p => $"\"{p}\""))}]",
            ["soak.checks.unit-uptime"] = DurationText.Format(Settings.Default.Soak.Checks.UnitUptime),
            ["soak.checks.commands"] = Settings.Default.Soak.Checks.Commands.IsEmpty ? "[]" : "some",
            ["metrics.listen"] = Settings.Default.Metrics.Listen!,
            ["metrics.unix-socket"] = Settings.Default.Metrics.UnixSocket,
            ["metrics.textfile"] = Settings.Default.Metrics.TextFile ?? "off",
            ["drift"] = Settings.Default.Drift == AfterDrift.Report ? "report" : "restore",
            ["boot.wait"] = DurationText.Format(Settings.Default.BootWait),
            ["placement.cpu"] = Settings.Default.Placement.Cpu == CpuChoice.Auto ? "auto" : "other",
            ["placement.nice"] = Number(Settings.Default.Placement.Nice),
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

    private static string Word(CheckWeight value) => value.ToString().ToLowerInvariant();

    private static string Number(double value, string format = "0.####") => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>One span has several spellings.</summary>
    private static string DurationOf(TimeSpan span, string spelling) => DurationText.TryParse(spelling) == span ? spelling : DurationText.Format(span);
}
