// A daemon that cannot do its job says so and serves on: no livepatch, no privilege, no bus, a bus that dies.
namespace LivePatchd.EndToEnd.Tests;

[Collection("metrics")]
public sealed class HostStateTests
{
    [Theory]
    [InlineData("livepatch-absent")]
    [InlineData("no-privilege")]
    public async Task An_unsupported_host_is_shown_and_served(string reason)
    {
        await using var host = new TestHost();
        if (reason == "no-privilege")
            host.Write("/proc/self/status", "Name:\tlivepatchd\nCapEff:\t0000000000000000\n");
        else
            Directory.Delete(host.Root.Path("/sys/kernel/livepatch"));
        host.Drop(new Patch("lp_one"));
        await host.Start();
        await host.Becomes("lp_one", "unsupported", reason);
        Assert.Equal(("unsupported", reason), ((string)host.View.Manager()["State"], (string)host.View.Manager()["Reason"]));
        Assert.Equal("rejected", await host.View.Job("Apply", "lp_one"));
        Assert.Empty(host.Kernel.Calls);
        Assert.Equal(1, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_patches", "state=\"unsupported\""));
        (await Tool.Ctl(host, "check")).Exits(4);
        Assert.Contains($"\"reason\": \"{reason}\"", (await Tool.Ctl(host, "status", "--json")).Exits(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_bus_patches_and_metrics_work_and_the_name_is_taken_when_it_appears()
    {
        await using var host = new TestHost(startBus: false);
        host.Drop(new Patch("lp_one"));
        await host.Start(waitForBus: false);
        await Limit.Until(async () => (await Scrape.From(host.MetricsSocket)).Value("livepatchd_patches", "state=\"active\"") == 1, () => host.Log.Text);
        Assert.Equal(["lp_one"], host.Kernel.Active);
        await Limit.Until(() => host.Log.Count("The bus cannot be served") > 0);
        (await Tool.Ctl(host, "list")).Exits(69);
        host.Bus.Start();
        await Limit.Until(() => host.View.List().IsOk);
        Assert.Equal("active", host.View.Find("lp_one")!.State);
    }

    [Fact]
    public async Task A_bus_that_dies_and_comes_back_is_joined_again()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Bus.Kill();
        host.ForgetBus();
        host.Drop(new Patch("lp_two"));
        await Limit.Until(async () => (await Scrape.From(host.MetricsSocket)).Value("livepatchd_patches", "state=\"active\"") == 2, () => host.Log.Text);
        host.Bus.Start();
        await Limit.Until(() => host.View.List().IsOk);
        await host.Becomes("lp_one", "active");
        await host.Becomes("lp_two", "active");
        Assert.Equal("done", await host.View.Job("Revert", "lp_one"));
    }

    [Fact]
    public async Task A_name_that_another_process_holds_is_taken_when_it_is_free()
    {
        await using var host = new TestHost();
        var other = LivePatchd.Bus.BusServer.Open(LivePatchd.Bus.BusAddress.At(host.Bus.Address), "org.livepatchd1");
        Assert.True(other.IsOk);
        await host.Start(waitForBus: false);
        await Limit.Until(() => host.Log.Count("Another process owns the bus name") > 0);
        other.Value!.Dispose();
        await Limit.Until(() => host.View.List().IsOk);
    }

    [Fact]
    public async Task Bus_metrics_log_and_tool_agree()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Drop(new Patch("lp_bad") { Release = "5.0.0" });
        await host.Becomes("lp_bad", "rejected");
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_busy"));
        await host.Becomes("lp_busy", "transitioning");

        var scrape = await Scrape.From(host.MetricsSocket);
        Assert.Equal(1, scrape.Value("livepatchd_patch_info", "patch=\"lp_one\"", $"sha256=\"{new Patch("lp_one").Digest[..12]}\""));
        Assert.Equal(1, scrape.Value("livepatchd_patch_state", "patch=\"lp_one\"", "state=\"active\""));
        Assert.Equal(1, scrape.Value("livepatchd_patch_state", "patch=\"lp_busy\"", "state=\"transitioning\""));
        Assert.Equal(1, scrape.Value("livepatchd_patch_reason", "patch=\"lp_bad\"", "reason=\"wrong-kernel\""));
        Assert.Equal(1, scrape.Value("livepatchd_info", $"kernel=\"{TestHost.Release}\""));
        Assert.Equal(1, scrape.Value("livepatchd_patches", "state=\"active\""));
        Assert.Equal(1, scrape.Value("livepatchd_patches", "state=\"rejected\""));
        Assert.NotNull(scrape.Value("livepatchd_transition_started_timestamp_seconds"));
        Assert.Equal(1, scrape.Value("livepatchd_transitions_total", "operation=\"apply\"", "result=\"done\""));
        Assert.Equal(2, scrape.Value("livepatchd_load_duration_seconds_count"));
        host.Time.Skip(TimeSpan.FromMinutes(1));
        Assert.InRange((await Scrape.From(host.MetricsSocket)).Value("livepatchd_oldest_pending_seconds")!.Value, 60, 600);
        // A clock that is set meanwhile, as at the first word of NTP, ages nothing.
        host.Time.SetWall(TimeSpan.FromDays(20_000));
        Assert.InRange((await Scrape.From(host.MetricsSocket)).Value("livepatchd_oldest_pending_seconds")!.Value, 60, 600);
        host.Time.SetWall(TimeSpan.Zero);
        await Limit.Until(() => host.Log.Records.Any(r =>
            r.GetValueOrDefault("LIVEPATCH_NAME") == "lp_busy" && r.GetValueOrDefault("LIVEPATCH_FROM") == "loading" && r.GetValueOrDefault("LIVEPATCH_TO") == "transitioning"
            && r["MESSAGE_ID"].Length == 32));

        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_busy", "active");
        host.Remove("lp_one.ko");
        await host.Becomes("lp_one", "reverted");
        scrape = await Scrape.From(host.MetricsSocket);
        Assert.Equal(2, scrape.Value("livepatchd_transitions_total", "operation=\"apply\"", "result=\"done\""));
        Assert.Equal(1, scrape.Value("livepatchd_transitions_total", "operation=\"revert\"", "result=\"done\""));
        Assert.Equal(2, scrape.Value("livepatchd_transition_duration_seconds_count", "operation=\"apply\""));
        Assert.Equal(1, scrape.Value("livepatchd_transition_duration_seconds_count", "operation=\"revert\""));
        Assert.Null(scrape.Value("livepatchd_transition_started_timestamp_seconds"));
        (await Tool.Ctl(host, "check")).Exits(6);
    }
}
