// What the gates do to patches: held with the gate and its figure, let through when it is calm, never in between.
namespace LivePatchd.EndToEnd.Tests;

[Collection("metrics")]
public sealed class GatedChangeTests
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Stalled = TimeSpan.FromSeconds(8);

    /// <summary>Long: the real clock goes on beneath the one that is put forward, and a busy machine takes its time to look.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromMinutes(10);

    /// <summary>Its settle time is over, and it is calm.</summary>
    private static async Task<TestHost> Host(string more = "")
    {
        var host = new TestHost();
        host.Figures();
        host.Configure(more, "settle: 10m");
        await host.Start();
        for (var i = 0; i < 3; i++)
            Pass(host, Window);
        Pass(host, Settle);
        Assert.True((bool)host.View.Manager()["GateOpen"]);
        return host;
    }

    [Fact]
    public async Task A_patch_is_held_under_pressure_and_applied_after_the_settle_time()
    {
        await using var host = await Host();
        Pass(host, Window, Stalled);
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "held", "io-pressure");
        Assert.Matches(@"^io-pressure: some (7\d\.\d|80\.0) %", (string)host.View.Patch("lp_one")["Detail"]);
        Assert.NotEqual(0UL, host.View.Patch("lp_one")["RetryAtUsec"]);
        Assert.Equal("held", await host.View.Job("Apply", "lp_one"));
        Assert.Equal(1, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_gate_holds_total", "gate=\"io-pressure\""));
        var gates = (await Tool.Ctl(host, "gates")).Exits(0).Output;
        Assert.Contains("lp_one (io-pressure), retry in", gates, StringComparison.Ordinal);
        Assert.Contains("not now (io-pressure)", gates, StringComparison.Ordinal);
        (await Tool.Ctl(host, "check")).Exits(3);

        Pass(host, 2 * Window, Stalled);
        await host.Becomes("lp_one", "held", "gates-settling");
        Pass(host, 0.8 * Settle, Stalled);
        await host.Becomes("lp_one", "held", "gates-settling");
        Assert.Empty(host.Kernel.Calls);
        Pass(host, 0.3 * Settle, Stalled);
        await host.Becomes("lp_one", "active");
        Assert.Equal(1, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_gate_holds_total", "gate=\"io-pressure\""));
    }

    [Fact]
    public async Task The_board_says_when_to_look_again_and_the_loop_does()
    {
        await using var host = await Host();
        Pass(host, Window, Stalled);
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "held", "io-pressure");
        // Readings go on by themselves; nothing but the clock is moved from here on.
        host.Time.Skip(2 * Window);
        await host.Becomes("lp_one", "held", "gates-settling");
        host.Time.Skip(Settle);
        await host.Becomes("lp_one", "active");
    }

    [Fact]
    public async Task A_revert_waits_too_and_the_patch_stays_active_meanwhile()
    {
        await using var host = await Host();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Pass(host, Window, Stalled);
        host.Remove("lp_one.ko");
        await host.Becomes("lp_one", "active", "io-pressure");
        Assert.DoesNotContain("disable lp_one ok", host.Kernel.Calls);
        Pass(host, 2 * Window, Stalled);
        Pass(host, Settle, Stalled);
        await host.Becomes("lp_one", "reverted");
    }

    [Fact]
    public async Task An_operator_may_override_the_gates_for_one_request()
    {
        await using var host = await Host();
        Pass(host, Window, Stalled);
        host.Drop(new Patch("lp_one"));
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_one", "held", "io-pressure");
        await host.Becomes("lp_two", "held", "io-pressure");
        BusView.Refused(host.View.Ask("Apply", "lp_one", ("override-gates", "yes")), "InvalidArgument", "boolean");
        Assert.Equal("done", await host.View.Result(BusView.Value(host.View.Ask("Apply", "lp_one", ("override-gates", true)))));
        await host.Becomes("lp_one", "active");
        await host.Becomes("lp_two", "held", "io-pressure");
        (await Tool.Ctl(host, "apply", "lp_two")).Exits(75);
        (await Tool.Ctl(host, "apply", "lp_two", "--override-gates")).Exits(0);
    }

    [Fact]
    public async Task A_hold_and_an_inhibitor_hold_patches_back_and_let_them_go_when_they_end()
    {
        await using var host = await TestHost.Started();
        BusView.Value(host.View.Hold("a disk is being changed"));
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "held", "operator-hold");
        Assert.Contains("a disk is being changed", (string)host.View.Patch("lp_one")["Detail"], StringComparison.Ordinal);
        var token = BusView.Value(host.View.Inhibit("backup", "reads the disks"));
        await host.Becomes("lp_one", "held", "inhibited");
        await host.Restart();
        await host.Becomes("lp_one", "held", "operator-hold");
        token.Dispose();
        using var second = BusView.Value(host.View.Inhibit("backup", "again"));
        BusView.Value(host.View.Unhold());
        await host.Becomes("lp_one", "held", "inhibited");
        second.Dispose();
        await host.Becomes("lp_one", "active");
    }

    [Theory]
    [InlineData("apply", false, "active", "")]
    [InlineData("apply", true, "active", "")]
    [InlineData("hold", false, "held", "deferral-exhausted")]
    [InlineData("hold", true, "held", "deferral-exhausted")]
    public async Task The_deferral_budget_outlives_daemon_and_boot_ends_as_configured_and_is_counted_once(string then, bool reboot, string state, string reason)
    {
        await using var host = await Host($"deferral: {{budget: 2h, critical-budget: 1h, then: {then}}}\n");
        var stalled = Stalled;
        Pass(host, Window, stalled);
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "held", "io-pressure");
        host.Time.Skip(TimeSpan.FromHours(1));
        host.Figures(stalled += TimeSpan.FromHours(1));
        if (reboot)
        {
            host.Boot("22222222-2222-4222-8222-222222222222");
            host.Kernel = new TestKernel(host.Root);
        }
        await host.Restart();
        Assert.Empty(host.Kernel.Calls);
        Pass(host, TimeSpan.FromMinutes(61), stalled += TimeSpan.FromHours(1));
        await host.Becomes("lp_one", state, reason);
        host.Barrier();
        Assert.Equal(1, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_deferral_exhausted_total"));
    }

    [Fact]
    public async Task Gates_of_a_patchs_own_hold_that_patch_only()
    {
        await using var host = await Host();
        Pass(host, Window, load: 0.8);
        host.Write(TestHost.PatchDirectory + "/lp_own.yaml", "schema: 1\nname: lp_own\ngates: {load: {max-per-cpu: 0.5, reopen-below: 0.4}}\n");
        host.Drop(new Patch("lp_own"));
        host.Drop(new Patch("lp_other"));
        await host.Becomes("lp_other", "active");
        await host.Becomes("lp_own", "held", "load-too-high");
        Pass(host, Window, load: 0.1);
        Pass(host, Settle, load: 0.1);
        await host.Becomes("lp_own", "active");
    }

    [Theory]
    [InlineData(-3650)]
    [InlineData(3650)]
    public async Task A_wall_clock_that_jumps_opens_and_closes_nothing(int days)
    {
        await using var host = await Host();
        Pass(host, Window, Stalled);
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "held", "io-pressure");
        host.Time.SetWall(TimeSpan.FromDays(days));
        host.Barrier();
        await host.Becomes("lp_one", "held", "io-pressure");
        Assert.Empty(host.Kernel.Calls);
        Pass(host, 2 * Window, Stalled);
        await host.Becomes("lp_one", "held", "gates-settling");
        Pass(host, Settle, Stalled);
        await host.Becomes("lp_one", "active");
    }

    private static void Pass(TestHost host, TimeSpan time, TimeSpan ioStall = default, double load = 0.1)
    {
        host.Figures(ioStall, load);
        host.Time.Skip(time);
        host.Barrier();
    }
}
