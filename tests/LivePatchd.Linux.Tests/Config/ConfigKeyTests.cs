// Every key of livepatchd.yaml, one table: what it accepts, what it refuses, and whether this version acts on it.
using System.Text.RegularExpressions;
using LivePatchd.Core.Config;

namespace LivePatchd.Linux.Tests.Config;

public sealed partial class ConfigKeyTests
{
    /// <summary>Key, acted on, accepted values, refused values; in YAML's own spelling.</summary>
    private static readonly (string Key, bool InForce, string[] Good, string[] Bad)[] Table =
    [
        ("mode", true, ["apply", "observe", "\"apply\""], ["off", "Apply", "", "[apply]", "{apply: 1}", "~", "aply"]),
        ("directories", true,
            ["[{path: /a}]", "[{path: /a, read-only: true}, {path: /b, read-only: false}]", "[{\"path\": \"/a b\"}]"],
            ["[]", "", "/a", "{path: /a}", "[/a]", "[{}]", "[{read-only: true}]", "[{path: a}]", "[{path: /a/../b}]", "[{path: /}]", "[{path: /a/}]",
                "[{path: //a}]", "[{path: /a/./b}]", "[{path: /a, read-only: yes}]", "[{path: /a, readonly: true}]", "[{path: /a}, {path: /a}]",
                "[{path: \"/a\\n\"}]", $"[{string.Join(",", Enumerable.Range(0, 17).Select(i => $"{{path: /d{i}}}"))}]"]),
        ("drift", true, ["report", "restore"], ["off", "Report", "", "[report]", "~", "revert"]),
        ("boot.wait", true, ["0s", "10m", "1d"], ["25h", "-1s", "10", "never", ""]),
        ("gates.load.max-per-cpu", true, ["1.5", "2", "0.01", "1000"], ["0", "-1", "1e3", "x", "", "1001", "1,5", ".nan", ".inf"]),
        ("gates.load.reopen-below", true, ["1.0", "0.5"], ["0", "x", "[1]", "1.6"]),
        ("gates.io-pressure.some-avg10", true, ["0", "20", "99.9", "100"], ["-1", "101", "20%", "x"]),
        ("gates.io-pressure.full-avg10", true, ["5"], ["101"]),
        ("gates.io-pressure.reopen-ratio", true, ["0", "0.5", "1"], ["1.01", "-0.1", "half"]),
        ("gates.cpu-pressure.some-avg10", true, ["60"], ["101"]),
        ("gates.memory-pressure.some-avg10", true, ["100", "30"], ["101"]),
        ("gates.memory-pressure.full-avg10", true, ["5"], ["101"]),
        ("gates.network.max-retransmit-ratio", true, ["0.02"], ["2", "2%"]),
        ("gates.network.max-squeezes-per-second", true, ["0", "0.5", "100", "100000"], ["-1", "100001", "100/s", "x"]),
        ("gates.windows", true,
            ["[{start: \"01:00\", length: 4h}]", "[{days: [sat, sun], start: \"23:59\", length: 1m, timezone: Europe/Berlin}]",
                "[{days: [mon, tue, wed, thu, fri], start: '00:00', length: 7d, timezone: Etc/GMT+5}]", "[{start: \"1:00\", length: 4h, timezone: UTC}]".Replace("1:", "01:", StringComparison.Ordinal)],
            ["{}", "x", "[{}]", "[{start: \"01:00\"}]", "[{length: 4h}]", "[{start: \"24:00\", length: 4h}]", "[{start: \"1:00\", length: 4h}]",
                "[{start: \"01:60\", length: 4h}]", "[{days: [], start: \"01:00\", length: 4h}]", "[{days: [saturday], start: \"01:00\", length: 4h}]",
                "[{days: sat, start: \"01:00\", length: 4h}]", "[{start: \"01:00\", length: 30s}]", "[{start: \"01:00\", length: 8d}]",
                "[{start: \"01:00\", length: 4h, timezone: ../../etc/passwd}]", "[{start: \"01:00\", length: 4h, timezone: /etc/localtime}]",
                "[{start: \"01:00\", length: 4h, timezone: \"\"}]", "[{start: \"01:00\", length: 4h, timezone: Europe//Berlin}]", "[{start: \"01:00\", lenght: 4h}]"]),
        ("gates.min-uptime", true, ["0s", "10m", "7d"], ["8d", "10"]),
        ("gates.settle", true, ["0s", "30s", "1h"], ["2h", "30", "x"]),
        ("gates.unavailable", true, ["apply", "hold"], ["wait"]),
        ("deferral.budget", true, ["24h", "0s", "30d"], ["31d", "1", "forever"]),
        ("deferral.then", true, ["apply", "hold"], ["drop"]),
        ("deferral.critical-budget", true, ["1h"], ["-1h", "25h"]),
        ("transition.report-after", true, ["1s", "15s", "1h", "auto"], ["0s", "999ms", "2h", "15", "", "[15s]"]),
        ("transition.reverse-after", true, ["120s", "1d", "auto"], ["0s", "2d", "x", "15s", "Auto"]),
        ("transition.attempts", true, ["1", "5", "100"], ["0", "101", "1.5", "five"]),
        ("transition.backoff.first", true, ["1s", "5m", "6h"], ["0s", "2d", "x", "7h"]),
        ("transition.backoff.max", true, ["5m", "6h", "7d"], ["0s", "8d", "x", "4m"]),
        ("transition.abort-pressure.io-full-avg10", true, ["40"], ["101"]),
        ("soak.duration", true, ["0s", "15m", "7d"], ["8d", "x"]),
        ("soak.on-failure", true, ["revert"], ["reboot"]),
        ("soak.quarantine", true, ["1m", "24h", "30d"], ["0s", "31d", "x"]),
        ("soak.confirm", true, ["automatic", "manual"], ["auto"]),
        ("soak.checks.warnings", true, ["report", "suspect", "attributed", "true", "false"], ["yes", "1", "True", "coincidence"]),
        ("soak.checks.oops", true, ["true"], ["on"]),
        ("soak.checks.units", true, ["report", "false"], ["off"]),
        ("soak.checks.pressure", true, ["report", "suspect"], ["off"]),
        ("soak.checks.coincidental-units", true, ["[]", "['user@*', '*.scope', 'a*b@*.service', 'x.service']"], ["'user@*'", "['a b']", "['']", "[a/b]", "['?.service']"]),
        ("soak.checks.unit-uptime", true, ["0s", "10m", "1d"], ["2d", "x"]),
        ("soak.checks.commands", true, ["[]", "[health.service]", "[check@web.service, 'a\\x2db.service']"],
            ["health.service", "[{a: b}]", "[\"a\\nb\"]", "[health]", "[health.timer]", "[.service]", "[/bin/true]", "[a/b.service]", "[\"a b.service\"]", "[check@.service]", "[-x.service]",
                $"[{new string('a', 300)}.service]", $"[{string.Join(",", Enumerable.Range(0, 17).Select(i => $"c{i}.service"))}]"]),
        ("trust.require", true, ["module-signature", "manifest-signature", "both"], ["all", "signature"]),
        ("trust.certificates", true, ["/etc/livepatchd/keys.d"], ["keys.d", "/etc/../keys"]),
        ("trust.owner", true, ["builder", "_x-1"], ["Root", "0", "a b"]),
        ("metrics.listen", true, ["off", "\"127.0.0.1:9817\"", "127.0.0.2:1", "\"[::1]:9817\""],
            ["0.0.0.0:9817", "\"[::]:9817\"", "192.0.2.1:9817", "localhost:9817", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.1:9817", "9817", "\":9817\"", "on", "\"[::ffff:127.0.0.1]:1\""]),
        ("metrics.unix-socket", true, ["/run/livepatchd/metrics.sock"], ["metrics.sock", "/run/../x", "off", "/" + new string('a', 107)]),
        ("metrics.textfile", true, ["off", "/var/lib/prometheus/node-exporter/livepatchd.prom"], ["livepatchd.prom", "/var/lib/x.txt", "/.prom", "/a/../x.prom", "on", "/" + new string('a', 5000) + ".prom"]),
        ("placement.cpu", true, ["auto", "none", "0", "8191"], ["-1", "8192", "any"]),
        ("placement.nice", true, ["-20", "0", "10", "19"], ["-21", "20", "x"]),
    ];

    public static TheoryData<string, string> GoodValues => Values(r => r.Good);

    public static TheoryData<string, string> BadValues => Values(r => r.Bad);

    [Theory]
    [MemberData(nameof(GoodValues))]
    public void Accepts(string key, string value)
    {
        var result = TempRoot.LoadText(Nest(key, value));
        Assert.Empty(result.Errors);
        var origin = Assert.Single(result.Origins, o => o.Key == key);
        Assert.Equal(("test.yaml", LineOf(key)), (origin.File, origin.Line));
        if (Row(key).InForce)
            Assert.Empty(result.Settings.NotInForce);
        else
            AssertWarned(result, key);
    }

    [Theory]
    [MemberData(nameof(BadValues))]
    public void Refuses(string key, string value)
    {
        var result = TempRoot.LoadText(Nest(key, value));
        Assert.NotEmpty(result.Errors);
        Assert.All(result.Errors, e =>
        {
            Assert.StartsWith(key, e.Key, StringComparison.Ordinal);
            Assert.Equal(("test.yaml", LineOf(key)), (e.File, e.Line));
            Assert.True(ConfigText.IsOneLine(e.Message));
        });
        Assert.Equal(DaemonMode.Observe, result.Settings.Mode);
    }

    [Fact]
    public void The_table_has_every_key() =>
        Assert.Equal(
            Table.Select(r => r.Key).Order(StringComparer.Ordinal),
            TempRoot.LoadText(EveryKey()).Origins.Select(o => o.Key).Order(StringComparer.Ordinal));

    [Fact]
    public void The_example_of_the_contract_loads()
    {
        var result = TempRoot.LoadText(
            """
            mode: apply                      # apply | observe
            directories: [{path: /var/lib/livepatchd/patches}, {path: /var/lib/kpatch, read-only: true}]
            gates:
              load:        {max-per-cpu: 1.5, reopen-below: 1.0}
              io-pressure: {some-avg10: 20, full-avg10: 5, reopen-ratio: 0.5}
              cpu-pressure: {some-avg10: 60}
              memory-pressure: {full-avg10: 5}
              network:     {max-retransmit-ratio: 0.02}
              windows:     [{days: [sat, sun], start: "01:00", length: 4h, timezone: Europe/Berlin}]
              settle: 30s                    # every gate must have been open this long
              unavailable: hold              # apply | hold when a source is missing
            deferral: {budget: 24h, then: apply, critical-budget: 1h}
            transition: {report-after: 15s, reverse-after: 120s, attempts: 5, backoff: {first: 5m, max: 6h}, abort-pressure: {io-full-avg10: 40}}
            soak: {duration: 15m, on-failure: revert, confirm: automatic, checks: {warnings: true, oops: true, units: true, commands: []}}
            trust: {require: none, certificates: /etc/livepatchd/keys.d, owner: root}
            metrics: {listen: "127.0.0.1:9817", unix-socket: /run/livepatchd/metrics.sock}
            placement: {cpu: auto, nice: 10}
            """);
        Assert.Empty(result.Errors);
        Assert.Equal(2, result.Settings.Directories.Length);
        Assert.Equal(new WatchedDirectory("/var/lib/kpatch", ReadOnly: true), result.Settings.Directories[1]);
        Assert.Equal(new MaintenanceWindow(WeekDays.Saturday | WeekDays.Sunday, new TimeOnly(1, 0), TimeSpan.FromHours(4), "Europe/Berlin"),
            Assert.Single(result.Settings.Gates.Windows));
        Assert.Equal(GateSettings.Default with { Windows = result.Settings.Gates.Windows }, result.Settings.Gates);
        Assert.Equivalent(SoakSettings.Default, result.Settings.Soak, strict: true);
        Assert.Empty(result.Settings.NotInForce);
        Assert.DoesNotContain("gates.settle", result.Settings.NotInForce);
        Assert.Equal(TrustSettings.Default, result.Settings.Trust);
        Assert.DoesNotContain("transition.report-after", result.Settings.NotInForce);
    }

    [Fact]
    public void Values_in_force_reach_the_settings()
    {
        var settings = TempRoot.LoadText(
            """
            mode: observe
            directories:
              - path: /srv/patches
                read-only: true
            gates:
              load: {max-per-cpu: 3, reopen-below: 2.5}
              io-pressure: {some-avg10: 12.5, full-avg10: 4, reopen-ratio: 0.25}
              cpu-pressure: {some-avg10: 70}
              memory-pressure: {some-avg10: 30, full-avg10: 3}
              network: {max-retransmit-ratio: 0.1, max-squeezes-per-second: 12.5}
              windows: [{start: "23:30", length: 90m}, {days: [mon], start: "00:00", length: 1h, timezone: Asia/Tokyo}]
              min-uptime: 10m
              settle: 1m
              unavailable: apply
            deferral: {budget: 2h, then: hold, critical-budget: 5m}
            transition: {report-after: 1m, reverse-after: 3m, attempts: 2, backoff: {first: 10s, max: 1h30m}, abort-pressure: {io-full-avg10: 90}}
            boot: {wait: 3m}
            placement: {cpu: 3, nice: -1}
            metrics: {listen: off, unix-socket: /run/x.sock, textfile: /srv/x.prom}
            """).Settings;
        Assert.Equal(DaemonMode.Observe, settings.Mode);
        Assert.Equal([new WatchedDirectory("/srv/patches", ReadOnly: true)], settings.Directories);
        Assert.Equal(
            [
                new MaintenanceWindow(WeekDays.All, new TimeOnly(23, 30), TimeSpan.FromMinutes(90), "UTC"),
                new MaintenanceWindow(WeekDays.Monday, TimeOnly.MinValue, TimeSpan.FromHours(1), "Asia/Tokyo"),
            ],
            settings.Gates.Windows);
        Assert.Equal(
            new GateSettings(
                new LoadMarks(3, 2.5), new PressureMarks(0.125, 0.04, 0.25), new PressureMarks(0.7, 1, 0.5), new PressureMarks(0.3, 0.03, 0.5),
                new NetworkMarks(0.1, 12.5), settings.Gates.Windows, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(1), WhenUnavailable.Apply),
            settings.Gates);
        Assert.Equal(new DeferralSettings(TimeSpan.FromHours(2), AfterDeferral.Hold, TimeSpan.FromMinutes(5)), settings.Deferral);
        Assert.Equal(
            new TransitionSettings(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(3), 2, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(90), 0.9),
            settings.Transition);
        Assert.Equal(TimeSpan.FromMinutes(3), settings.BootWait);
        Assert.Equal(new PlacementSettings(CpuChoice.Fixed, 3, -1), settings.Placement);
        Assert.Equal(new MetricsSettings(null, "/run/x.sock"), settings.Metrics);
    }

    [Fact]
    public void Defaults_give_way_to_the_key_that_is_set()
    {
        var settings = TempRoot.LoadText("gates: {load: {max-per-cpu: 0.5}}\ndeferral: {budget: 10m}\ntransition: {report-after: 5m}\n").Settings;
        Assert.Equal(new LoadMarks(0.5, 0.5), settings.Gates.Load);
        Assert.Equal(TimeSpan.FromMinutes(10), settings.Deferral.CriticalBudget);
        Assert.Null(settings.Transition.SetReverseAfter);
        Assert.Equal(TimeSpan.FromMinutes(10), settings.Transition.ReverseAfter);
        Assert.Equal(TransitionSettings.BaseReportAfter, Settings.Default.Transition.ReportAfter);
    }

    [Fact]
    public void Every_error_of_a_file_is_reported_with_its_line()
    {
        var result = TempRoot.LoadText(
            """
            mode: aply
            metrics:
              listen: 0.0.0.0:1
              unix_socket: /x
            transitoin: {}
            placement:
              nice: 99
            """);
        Assert.Equal(
            [
                (1, "mode"),
                (3, "metrics.listen"),
                (4, "metrics.unix_socket"),
                (5, "transitoin"),
                (7, "placement.nice"),
            ],
            result.Errors.Select(e => (e.Line, e.Key)));
        Assert.Contains("did you mean apply?", result.Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("did you mean metrics.unix-socket?", result.Errors[2].Message, StringComparison.Ordinal);
        Assert.Contains("did you mean transition?", result.Errors[3].Message, StringComparison.Ordinal);
        Assert.All(ConfigReport.Lines(result), line => Assert.Matches(@"^test\.yaml:\d+: \S+: \S", line));
    }

    [Theory]
    [InlineData("deferral: {budget: 1h, critical-budget: 2h}", "deferral.critical-budget")]
    [InlineData("gates: {load: {max-per-cpu: 1, reopen-below: 2}}", "gates.load.reopen-below")]
    [InlineData("deferral: {critical-budget: 2d}", "deferral.critical-budget")]
    [InlineData("gates: {load: {reopen-below: 2}}", "gates.load.reopen-below")]
    [InlineData("gates: {settle: 10m, windows: [{start: \"01:00\", length: 10m}]}", "gates.settle")]
    [InlineData("transition: {report-after: 10m, reverse-after: 5m}", "transition.reverse-after")]
    [InlineData("transition: {backoff: {first: 2h, max: 1h}}", "transition.backoff.first")]
    [InlineData("directories: [{path: /a}, {path: /b}, {path: /a}]", "directories[2].path")]
    public void Values_that_make_no_sense_together_are_refused(string yaml, string key) =>
        Assert.Equal(key, Assert.Single(TempRoot.LoadText(yaml).Errors).Key);

    [Fact]
    public void A_default_gives_way_to_the_key_it_belongs_to_also_where_the_shipped_file_spells_it_out()
    {
        var result = TempRoot.LoadText("deferral: {budget: 30m, critical-budget: 1h}\ngates: {load: {max-per-cpu: 0.5, reopen-below: 1.0}}\n");
        Assert.Empty(result.Errors);
        Assert.Equal(TimeSpan.FromMinutes(30), result.Settings.Deferral.CriticalBudget);
        Assert.Equal(new LoadMarks(0.5, 0.5), result.Settings.Gates.Load);
    }

    [Theory]
    [InlineData("gates:")]
    [InlineData("metrics: ~\ntransition:\n  backoff:\n")]
    public void A_section_whose_lines_are_commented_out_is_no_error(string yaml) => Assert.Empty(TempRoot.LoadText(yaml).Errors);

    private static void AssertWarned(ConfigResult result, string key)
    {
        Assert.Equal([key], result.Settings.NotInForce);
        var warning = Assert.Single(result.Warnings);
        Assert.Equal(("test.yaml", LineOf(key), key), (warning.File, warning.Line, warning.Key));
        Assert.Equal($"test.yaml:{LineOf(key)}: {key}: warning: {SettingsBuilder.NotInForceMessage}", Assert.Single(ConfigReport.Lines(result)));
    }

    private static TheoryData<string, string> Values(Func<(string Key, bool InForce, string[] Good, string[] Bad), string[]> pick)
    {
        var data = new TheoryData<string, string>();
        foreach (var row in Table)
        {
            foreach (var value in pick(row))
                data.Add(row.Key, value);
        }
        return data;
    }

    private static (string Key, bool InForce, string[] Good, string[] Bad) Row(string key) => Table.Single(r => r.Key == key);

    private static int LineOf(string key) => key.Split('.').Length;

    /// <summary>a.b.c with value v → three lines of block style.</summary>
    private static string Nest(string key, string value)
    {
        var parts = key.Split('.');
        return string.Join('\n', parts.Select((p, i) => new string(' ', i * 2) + p + ":")) + " " + value + "\n";
    }

    /// <summary>Every key of the table in one file, each with its first good value.</summary>
    private static string EveryKey()
    {
        var lines = new List<string>();
        foreach (var (key, _, good, _) in Table)
        {
            var nested = Nest(key, good[0]).TrimEnd('\n').Split('\n');
            var path = "";
            foreach (var line in nested)
            {
                path += "/" + Head().Match(line).Value;
                if (line.EndsWith(':') && lines.Contains("#" + path))
                    continue;
                lines.Add("#" + path);
                lines.Add(line);
            }
        }
        return string.Join('\n', lines);
    }

    [GeneratedRegex("[a-z0-9-]+")]
    private static partial Regex Head();
}
