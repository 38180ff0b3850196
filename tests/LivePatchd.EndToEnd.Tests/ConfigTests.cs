// Configuration and kill switches: what is wrong keeps the last good one in force and is said everywhere; observing means touching nothing.
namespace LivePatchd.EndToEnd.Tests;

[Collection("metrics")]
public sealed class ConfigTests
{
    [Fact]
    public async Task A_bad_configuration_keeps_the_last_good_one_and_says_so()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Assert.Equal(1UL, host.View.Manager()["ConfigGeneration"]);
        Assert.Equal(1, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_config_last_reload_successful"));

        host.Configure("mode: sometimes\ndirektories: []\n");
        BusView.Refused(host.View.Reload(), "InvalidArgument", "config-invalid");
        await Limit.Until(() => ((string[])host.View.Manager()["ConfigErrors"]).Length == 2);
        var errors = (string[])host.View.Manager()["ConfigErrors"];
        Assert.Contains("livepatchd.yaml:2: mode:", errors[0], StringComparison.Ordinal);
        Assert.Contains("directories", errors[1], StringComparison.Ordinal);
        Assert.Equal(1UL, host.View.Manager()["ConfigGeneration"]);
        Assert.Equal("running", host.View.Manager()["State"]);
        Assert.Equal(0, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_config_last_reload_successful"));
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "active");

        host.Configure("");
        BusView.Value(host.View.Reload());
        await Limit.Until(() => (ulong)host.View.Manager()["ConfigGeneration"] == 2);
        Assert.Empty((string[])host.View.Manager()["ConfigErrors"]);
        Assert.Equal(1, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_config_last_reload_successful"));
    }

    [Fact]
    public async Task Without_any_good_configuration_nothing_is_touched_until_it_is_corrected()
    {
        await using var host = new TestHost();
        host.Configure("mode: [\n");
        host.Drop(new Patch("lp_one"));
        await host.Start();
        await host.Becomes("lp_one", "held", "config-invalid");
        Assert.Equal(("observing", "config-invalid"), ((string)host.View.Manager()["State"], (string)host.View.Manager()["Reason"]));
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
        host.Configure("");
        host.Hangup();
        await host.Becomes("lp_one", "active");
    }

    [Fact]
    public async Task Observe_mode_looks_and_touches_nothing_and_apply_mode_catches_up()
    {
        await using var host = new TestHost();
        host.Configure("mode: observe\n");
        host.Kernel.Insmod(new Patch("lp_foreign"));
        await host.Start();
        host.Drop(new Patch("lp_one"));
        host.Drop(new Patch("lp_foreign"));
        await host.Becomes("lp_one", "held", "observe-mode");
        Assert.Equal(("observe", "observing"), ((string)host.View.Manager()["Mode"], (string)host.View.Manager()["State"]));
        BusView.Refused(host.View.Ask("Apply", "lp_one"), "Held", "observe-mode");
        Assert.Empty(host.Kernel.Calls);

        host.Configure("mode: apply\n");
        BusView.Value(host.View.Reload());
        await host.Becomes("lp_one", "active");
        await host.Becomes("lp_foreign", "active");
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);

        host.Configure("mode: observe\n");
        BusView.Value(host.View.Reload());
        host.Remove("lp_one.ko");
        host.Barrier();
        await host.Becomes("lp_one", "active", "observe-mode");
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task Request_InObserveMode_IsRefusedAndNotRememberedForApplyMode()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        host.Drop(new Patch("lp_out"));
        await host.Becomes("lp_one", "active");
        await host.Becomes("lp_out", "active");
        Assert.Equal("done", await host.View.Job("Revert", "lp_out"));
        host.Configure("mode: observe\n");
        BusView.Value(host.View.Reload());
        BusView.Refused(host.View.Ask("Revert", "lp_one"), "Held", "observe-mode");
        BusView.Refused(host.View.Ask("Apply", "lp_out"), "Held", "observe-mode");
        var calls = host.Kernel.Calls;
        host.Configure("mode: apply\n");
        BusView.Value(host.View.Reload());
        host.Barrier();
        await host.Becomes("lp_one", "active", "");
        await host.Becomes("lp_out", "reverted", "reverted-by-operator");
        Assert.Equal(calls, host.Kernel.Calls);
    }

    [Theory]
    [InlineData("/etc/livepatchd/disabled", "")]
    [InlineData("/proc/cmdline", "quiet livepatchd.mode=observe\n")]
    [InlineData("/proc/cmdline", "kpatch.enable=0\n")]
    public async Task A_kill_switch_is_stronger_than_the_configuration(string file, string content)
    {
        await using var host = new TestHost();
        host.Write(file, content);
        host.Configure("mode: apply\n");
        host.Drop(new Patch("lp_one"));
        await host.Start();
        await host.Becomes("lp_one", "held", "disabled");
        BusView.Value(host.View.Reload());
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
        Assert.Equal(("observe", "observing"), ((string)host.View.Manager()["Mode"], (string)host.View.Manager()["State"]));
    }

    [Fact]
    public async Task A_reload_moves_the_metrics_and_the_last_of_many_counts()
    {
        await using var host = await TestHost.Started();
        for (var i = 1; i <= 8; i++)
        {
            host.Write("/etc/livepatchd/livepatchd.yaml", $"metrics: {{listen: off, unix-socket: /run/livepatchd/m{i % 3}.sock}}\n");
            BusView.Value(host.View.Reload());
        }
        var last = host.Root.Path("/run/livepatchd/m2.sock");
        await Limit.Until(() => File.Exists(last) && !File.Exists(host.Root.Path("/run/livepatchd/m1.sock")), () => host.Log.Text);
        // The same name was served twice before: what is there at first may be on its way out.
        Scrape? scrape = null;
        await Limit.Until(async () => (scrape = await Scrape.Try(last)) is not null && !File.Exists(host.Root.Path("/run/livepatchd/m0.sock")), () => host.Log.Text);
        Assert.Equal(1, scrape!.Value("livepatchd_info"));
        Assert.False(File.Exists(host.MetricsSocket));
    }

    [Fact]
    public async Task A_taken_port_costs_the_loopback_listener_alone()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        await using var host = new TestHost();
        host.Write("/etc/livepatchd/livepatchd.yaml", $"metrics: {{listen: \"{taken.LocalEndpoint}\"}}\ngates: {{settle: 0s, unavailable: apply}}\nsoak: {{duration: 0s}}\n");
        await host.Start();
        Assert.Equal(1, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_info"));
        Assert.Equal(1, host.Log.Count($"Metrics cannot be served on {taken.LocalEndpoint}"));
        Assert.Null(host.LoopbackAddress);
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
    }
}
