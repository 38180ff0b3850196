// A real Prometheus with the shipped rules scrapes the daemon through everything that an alert or a panel is there for.
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using LivePatchd.Core.Tests;

namespace LivePatchd.EndToEnd.Tests.Monitoring;

[Collection("metrics")]
public sealed partial class MonitoringTests : IAsyncLifetime
{
    private const string Oops = "BUG: unable to handle page fault for address: ffffffffdeadbeef";
    private const string Gates = "gates: {settle: 0s, unavailable: apply}\n";

    private readonly TestHost host = new();
    private readonly int port = Prometheus.FreePort();
    private TimeSpan skipped;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    private void Configure(string mode = "apply", string directories = "[{path: /var/lib/livepatchd/patches, grace: 0s}]") => host.Write("/etc/livepatchd/livepatchd.yaml",
        $"mode: {mode}\nmetrics: {{listen: \"127.0.0.1:{port}\"}}\n{Gates}soak: {{duration: 15m, checks: {{units: false}}}}\ndeferral: {{then: hold}}\ndirectories: {directories}\n");

    /// <summary>Time passes for the daemon alone: its wall clock stays that of the scraper.</summary>
    private void Skip(TimeSpan span)
    {
        skipped += span;
        host.Time.SetWall(-skipped);
        host.Time.Skip(span);
    }

    private async Task Trusted(string name) => await Limit.Until(
        () =>
        {
            Skip(TimeSpan.FromMinutes(1));
            host.Barrier();
            return host.View.Find(name) is { State: "active" };
        },
        () => host.Log.Text);

    /// <summary>What Prometheus has of the patches is what the bus says at the same time.</summary>
    private async Task Agree(Prometheus prometheus) => await Limit.Until(
        async () =>
        {
            var told = host.View.List().Value!.Select(static p => $"{p.Name} {p.State} {p.Reason}").Order();
            var state = await prometheus.Query("livepatchd_patch_state");
            var reason = (await prometheus.Query("livepatchd_patch_reason")).ToDictionary(static a => a["patch"], static a => a["reason"]);
            return told.SequenceEqual(state.Select(a => $"{a["patch"]} {a["state"]} {reason.GetValueOrDefault(a["patch"], "")}").Order());
        },
        () => host.Log.Text);

    private int Told(string from, string to) => host.Log.Records.Count(r => r.GetValueOrDefault("LIVEPATCH_FROM") == from && r.GetValueOrDefault("LIVEPATCH_TO") == to);

    [Fact]
    public async Task Alerts_EverythingHappensOnce_EachFiresAndNoneBefore()
    {
        Assert.SkipUnless(Tool.Exists("prometheus"), "prometheus is not installed");
        var machine = new Machine(complete: true);
        host.Pressure = machine.Read;
        host.Write("/sys/kernel/oops_count", "0\n");
        host.Write("/sys/kernel/warn_count", "3\n");
        using var kernelLog = new FakeKernelLog(host);
        Configure();
        var begun = DateTimeOffset.UtcNow;
        await host.Start();
        using var prometheus = await Prometheus.Scraping(host.Directory, $"127.0.0.1:{port}");

        // A quiet run: a patch is loaded, soaks and is trusted.
        host.Write(TestHost.PatchDirectory + "/lp_base.yaml", $"schema: 1\nname: lp_base\nversion: \"1.2\"\ncves: [CVE-2025-12345]\nsha256: {new Patch("lp_base").Digest}\n");
        host.Drop(new Patch("lp_base"));
        await host.Becomes("lp_base", "soaking");
        await prometheus.Until("livepatchd_soak_end_timestamp_seconds - time()", static a => a is [{ Value: > 0 and <= 900 }]);
        await Trusted("lp_base");
        await Agree(prometheus);
        await prometheus.Until("count_over_time(livepatchd_patch_state{state=\"active\"}[1h])", static a => a is [{ Value: >= 4 }]);
        Assert.Empty(await prometheus.Query("ALERTS"));
        Assert.Equal(1, Assert.Single(await prometheus.Query("livepatchd_cve_fixed{cve=\"CVE-2025-12345\"}")).Value);
        Assert.Equal(1, Assert.Single(await prometheus.Query("livepatchd_transitions_total{operation=\"apply\",result=\"done\"}")).Value);
        await ScrapeIsClean();

        // A hold of eight days ago, a patch that waits behind it for more than a day, and a restart in between.
        host.Time.SetWall(-skipped - TimeSpan.FromDays(8));
        BusView.Value(host.View.Hold("the array is being rebuilt"));
        host.Time.SetWall(-skipped);
        await prometheus.Fires("LivepatchdHoldForgotten");
        host.Drop(new Patch("lp_waits"));
        await host.Becomes("lp_waits", "held", "operator-hold");
        await prometheus.Until("livepatchd_gate_holds_total{gate=\"hold\"}", static a => a is [{ Value: 1 }]);
        await prometheus.Until("livepatchd_gate_open{gate=\"hold\"}", static a => a is [{ Value: 0 }]);
        Skip(TimeSpan.FromHours(26));
        await prometheus.Fires("LivepatchdPatchPending");
        await Agree(prometheus);
        await host.Stop();
        await prometheus.Fires("LivepatchdDown");
        await host.Start();
        await prometheus.Ceases("LivepatchdDown");
        await prometheus.Until("livepatchd_oldest_pending_seconds", static a => a is [{ Value: > 26 * 3600 }]);
        BusView.Value(host.View.Unhold());
        await host.Becomes("lp_waits", "soaking");
        await prometheus.Ceases("LivepatchdPatchPending");
        await prometheus.Ceases("LivepatchdHoldForgotten");
        await Trusted("lp_waits");

        // A transition that stalls is reversed: the first reversal of this process is an increase of one.
        await prometheus.Until("increase(livepatchd_transitions_total{result=\"reversed\",operation=\"apply\"}[1m])", static a => a is [{ Value: 0 }]);
        host.Kernel.Busy = true;
        Task("0\n");
        host.Drop(new Patch("lp_stalls"));
        await host.Becomes("lp_stalls", "transitioning");
        Skip(TimeSpan.FromSeconds(16));
        await host.Becomes("lp_stalls", "stalled", "transition-overdue");
        var stalled = await prometheus.Fires("LivepatchdTransitionStalled");
        Assert.Equal("lp_stalls", stalled["patch"]);
        await prometheus.Until("livepatchd_stalled_tasks", static a => a is [{ Value: 1 }]);
        await prometheus.Until("time() - livepatchd_transition_started_timestamp_seconds", static a => a is [{ Value: >= 0 }]);
        await Agree(prometheus);
        Skip(TimeSpan.FromMinutes(2));
        await host.Becomes("lp_stalls", "reversing");
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_stalls", "held");
        await prometheus.Fires("LivepatchdTransitionReversed");
        await prometheus.Until("round(increase(livepatchd_transitions_total{result=\"reversed\",operation=\"apply\"}[1m]))", static a => a is [{ Value: 1 }]);
        Assert.Equal(1, Told("reversing", "held"));
        await prometheus.Ceases("LivepatchdTransitionStalled");
        host.Remove("lp_stalls.ko");
        await host.Goes("lp_stalls");

        // An oops in a soak.
        host.Drop(new Patch("lp_oopses"));
        await host.Becomes("lp_oopses", "soaking");
        kernelLog.Say(Oops, "RIP: 0010:lp_new+0x5/0x10 [lp_oopses]", "---[ end trace 0000000000000000 ]---");
        await host.Becomes("lp_oopses", "quarantined", "kernel-oops");
        var quarantined = await prometheus.Fires("LivepatchdPatchQuarantined");
        Assert.Equal(("lp_oopses", "kernel-oops"), (quarantined["patch"], quarantined["reason"]));
        await prometheus.Fires("LivepatchdKernelFaultInSoak");
        await Agree(prometheus);

        // Somebody takes a patch out by hand; somebody denies another.
        host.Kernel.DisableByHand("lp_waits");
        await host.Becomes("lp_waits", "held", "disabled-by-hand");
        Assert.Equal("disabled-by-hand", (await prometheus.Fires("LivepatchdDrift"))["reason"]);
        host.Write($"/etc/livepatchd/deny.d/{new Patch("lp_waits").Digest}", "\n");
        await host.Becomes("lp_waits", "rejected", "denied");
        await prometheus.Fires("LivepatchdDenied");
        await prometheus.Ceases("LivepatchdDrift");

        // A directory that is not there, a file with errors, observe mode.
        Configure(directories: "[{path: /var/lib/livepatchd/patches, grace: 0s}, {path: /srv/nowhere}]");
        BusView.Value(host.View.Reload());
        await prometheus.Fires("LivepatchdDirectoryUnreadable");
        host.Write("/etc/livepatchd/livepatchd.yaml", "mode: perhaps\n");
        host.Hangup();
        await prometheus.Fires("LivepatchdConfigRefused");
        Configure(mode: "observe");
        BusView.Value(host.View.Reload());
        Assert.Equal("observe-mode", (await prometheus.Fires("LivepatchdNotActing"))["reason"]);
        await prometheus.Ceases("LivepatchdConfigRefused");
        Configure();
        BusView.Value(host.View.Reload());
        await prometheus.Ceases("LivepatchdNotActing");
        await prometheus.Ceases("LivepatchdDirectoryUnreadable");

        // The machine stalled for two seconds while a patch was loaded.
        host.Kernel.LoadGate.Reset();
        var before = machine.Samples;
        host.Drop(new Patch("lp_slow"));
        await Limit.Until(() => machine.Samples > before);
        Skip(TimeSpan.FromSeconds(5));
        await Limit.Until(() => machine.Samples > before + 2);
        host.Kernel.LoadGate.Set();
        await host.Becomes("lp_slow", "soaking");
        await Limit.Until(
            () =>
            {
                Skip(TimeSpan.FromSeconds(1));
                return host.Entries("lp_slow").Length == 1;
            });
        await prometheus.Fires("LivepatchdImpactHigh");
        await Agree(prometheus);

        // An operator forces a transition.
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_forced"));
        await host.Becomes("lp_forced", "transitioning");
        Skip(TimeSpan.FromSeconds(16));
        await host.Becomes("lp_forced", "stalled");
        string? token = null;
        await Limit.Until(async () =>
        {
            using var report = JsonDocument.Parse((await Tool.Ctl(host, "blocking", "--json")).Output);
            return (token = report.RootElement.GetProperty("token").GetString()) is not null;
        });
        (await Tool.Ctl(host, "force", "lp_forced", "--token", token!)).Exits(0);
        await prometheus.Fires("LivepatchdForced");

        await Dashboards(prometheus, begun);
        await Questions(prometheus);
        var examples = await prometheus.Exemplars("livepatchd_transition_duration_seconds_bucket", begun, DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.Contains(new Patch("lp_oopses").Digest[..12], examples.ToString(), StringComparison.Ordinal);
        Draw(prometheus, begun);

        // The loop stands still, and scrapes are answered.
        host.Time.SetWall(-skipped - TimeSpan.FromHours(1));
        host.Barrier();
        host.Kernel.LookGate.Reset();
        host.Time.SetWall(-skipped);
        await prometheus.Fires("LivepatchdLoopStuck");
        Assert.Equal(1, Assert.Single(await prometheus.Query("up")).Value);
        host.Kernel.LookGate.Set();
    }

    private async Task ScrapeIsClean()
    {
        var text = Path.Combine(host.Directory, "scrape.txt");
        await File.WriteAllTextAsync(text, (await Scrape.From(host.MetricsSocket)).Text, TestContext.Current.CancellationToken);
        var checkedBy = await Tool.Run(["/bin/sh", "-c", $"promtool check metrics <'{text}'"]);
        Assert.Equal("", checkedBy.Exits(0).Output + checkedBy.Error);
    }

    private static async Task Dashboards(Prometheus prometheus, DateTimeOffset begun)
    {
        foreach (var name in new[] { "fleet", "host" })
        {
            var queries = DashboardQuery.Of(name);
            Assert.InRange(queries.Count, 10, 100);
            foreach (var (panel, query, instant) in queries)
            {
                var found = instant ? (await prometheus.Query(query)).Count : await prometheus.Range(query, begun, DateTimeOffset.UtcNow);
                Assert.True(found > 0, $"{name}, {panel}: {query} has no data");
            }
        }
    }

    /// <summary>The queries of docs/metrics.md, with a patch, a digest and a CVE of this host.</summary>
    private static async Task Questions(Prometheus prometheus)
    {
        var rows = File.ReadLines(RepositoryFile.PathOf("docs/metrics.md")).Where(static l => Question().IsMatch(l)).ToList();
        Assert.Equal(20, rows.Count);
        foreach (var row in rows)
        {
            var queries = Code().Matches(row.Replace("\\|", "\u0001", StringComparison.Ordinal).Split('|')[3]).Select(static m => m.Groups[1].Value.Replace("\u0001", "|", StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(queries);
            foreach (var query in queries)
            {
                var asked = query.Replace("\"S\"", $"\"{new Patch("lp_base").Digest[..12]}\"", StringComparison.Ordinal)
                    .Replace("\"P\"", "\"lp_oopses\"", StringComparison.Ordinal).Replace("\"C\"", "\"CVE-2025-12345\"", StringComparison.Ordinal);
                Assert.True(await prometheus.TryQuery(asked) is not null, asked);
            }
        }
    }

    /// <summary>LIVEPATCHD_PICTURES names a directory: the dashboards are drawn there, for the documents.</summary>
    private static void Draw(Prometheus prometheus, DateTimeOffset begun)
    {
        if (Environment.GetEnvironmentVariable("LIVEPATCHD_PICTURES") is not { Length: > 0 } pictures)
            return;
        foreach (var name in new[] { "fleet", "host" })
        {
            string Seconds(DateTimeOffset moment) => moment.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            Tool.Run(
            [
                RepositoryFile.PathOf("config/monitoring/dashboards/render"), "--prometheus", prometheus.Address.ToString().TrimEnd('/'), "--from", Seconds(begun), "--to", Seconds(DateTimeOffset.UtcNow),
                DashboardQuery.PathOf(name), Path.Combine(pictures, $"dashboard-{name}.svg"),
            ]).GetAwaiter().GetResult().Exits(0);
        }
    }

    private void Task(string state)
    {
        host.Write("/proc/501/task/501/stat", "501 (task 501) D 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 4242 0\n");
        host.Write("/proc/501/task/501/status", "Name:\ttask\nUid:\t1000\t1000\t1000\t1000\n");
        host.Write("/proc/501/task/501/cgroup", "0::/system.slice/db.service\n");
        host.Write("/proc/501/task/501/patch_state", state);
    }

    [GeneratedRegex(@"^\| \d+ \|")]
    private static partial Regex Question();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
