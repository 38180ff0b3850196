// Boots and starts: what is loaded when, and what a crash of the host or of the daemon is held against.
namespace LivePatchd.EndToEnd.Tests;

public sealed class BootTests
{
    private const string Second = "22222222-2222-4222-8222-222222222222";
    private static readonly Patch One = new("lp_one");

    private static async Task<TestHost> Soaking()
    {
        var host = new TestHost();
        host.Configure("", soak: "duration: 15m");
        await host.Start();
        host.Drop(One);
        await host.Becomes("lp_one", "soaking");
        return host;
    }

    [Fact]
    public async Task Start_HostWentDownWithoutShutdown_PatchOnProbationIsTriedOnceMore()
    {
        await using var host = new TestHost();
        host.Configure("transition: {backoff: {first: 1s}}\n", soak: "duration: 15m");
        await host.Start();
        host.Drop(One);
        await host.Becomes("lp_one", "soaking");
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "soaking");
        Assert.True(host.View.Confirm("lp_two").IsOk);
        await host.Stop();
        host.Reboot(Second);
        await host.Start();
        await host.Becomes("lp_two", "active");
        await host.Becomes("lp_one", "soaking");
        Assert.True(host.Log.Says("lp_one", "suspected"), host.Log.Text);

        foreach (var boot in new[] { "33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444" })
        {
            await host.Stop();
            host.Reboot(boot);
            await host.Start();
            await host.Becomes("lp_one", "quarantined", "host-crashed");
            await host.Becomes("lp_two", "active");
            Assert.Equal(0, host.Kernel.LoadsOf("lp_one"));
            Assert.Equal("attributed", (string)host.View.Patch("lp_one")["Grade"]);
        }
    }

    [Fact]
    public async Task A_host_that_was_shut_down_loads_it_again()
    {
        await using var host = await Soaking();
        using var systemd = new FakeSystemd(host.Bus);
        systemd.ShutsDown();
        await host.Stop();
        host.Reboot(Second);
        await host.Start();
        await host.Becomes("lp_one", "soaking");
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_shutdown_is_known_where_the_mark_could_not_be_written_at_the_start(bool byAScan)
    {
        await using var host = new TestHost();
        host.Configure("", soak: "duration: 15m");
        var inTheWay = host.MakeDirectory("/var/lib/livepatchd/state/host");
        await host.Start();
        host.Drop(One);
        await host.Becomes("lp_one", "soaking");
        Directory.Delete(inTheWay);
        if (byAScan)
        {
            host.Barrier();
            Assert.True(File.Exists(inTheWay));
        }
        using var systemd = new FakeSystemd(host.Bus);
        systemd.ShutsDown();
        await host.Stop();
        host.Reboot(Second);
        await host.Start();
        await host.Becomes("lp_one", "soaking");
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
    }

    [Theory]
    [InlineData("stopping", "soaking", 1)]
    [InlineData("running", "held", 0)]
    public async Task A_shutdown_is_known_without_the_bus_which_goes_down_as_well(string state, string then, int loads)
    {
        await using var host = await Soaking();
        using var systemd = new FakePrivateSocket(host.Root, state);
        host.Bus.Kill();
        host.ForgetBus();
        await host.Stop();
        Assert.Equal(1, systemd.Answers);
        host.Bus.Start();
        host.Reboot(Second);
        await host.Start();
        await host.Becomes("lp_one", then);
        Assert.Equal(loads, host.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task A_reboot_before_the_confirmation_counts_as_none()
    {
        await using var host = new TestHost();
        host.Configure("", soak: "duration: 15m, confirm: manual");
        await host.Start();
        host.Drop(One);
        await host.Becomes("lp_one", "soaking");
        using var systemd = new FakeSystemd(host.Bus);
        systemd.ShutsDown();
        await host.Stop();
        host.Reboot(Second);
        await host.Start();
        await host.Becomes("lp_one", "reverted", "not-confirmed");
        Assert.Equal(0, host.Kernel.LoadsOf("lp_one"));
    }

    /// <summary>Up for a minute, whatever the machine's own uptime is.</summary>
    private static TestHost JustBooted() => new(uptime: TimeSpan.FromMinutes(1) - TimeProvider.System.GetElapsedTime(0));

    [Fact]
    public async Task A_new_patch_waits_for_the_end_of_the_boot()
    {
        await using var host = JustBooted();
        using var systemd = new FakeSystemd(host.Bus);
        systemd.Boots(jobs: "hangs.service/start/running");
        host.Drop(One);
        await host.Start();
        await host.Becomes("lp_one", "held", "boot-not-complete");
        Assert.Equal(0, host.Kernel.LoadsOf("lp_one"));
        systemd.HasBooted();
        await host.Becomes("lp_one", "active");
    }

    [Fact]
    public async Task Boot_NeverEnds_LoadsGoOnAfterBootWaitAndTheHolderIsNamed()
    {
        await using var host = JustBooted();
        host.Configure("boot: {wait: 20m}\n");
        using var systemd = new FakeSystemd(host.Bus);
        systemd.Boots(jobs: ["hangs.service/start/running", "later.service/start/running"]);
        host.Drop(One);
        await host.Start();
        await host.Becomes("lp_one", "held", "boot-not-complete");
        host.Time.Skip(TimeSpan.FromMinutes(20));
        host.Barrier();
        await host.Becomes("lp_one", "active");
        Assert.Equal("running", host.View.Manager()["State"]);
        Assert.Equal(1, host.Log.Count("it waits for hangs.service/start"));
    }

    [Theory]
    [InlineData(false, "active")]
    [InlineData(true, "held")]
    public async Task Apply_DuringTheBoot_OfAPersonIsNotHeldAndOfTheBootIs(bool ofTheBoot, string state)
    {
        await using var host = JustBooted();
        using var systemd = new FakeSystemd(host.Bus);
        systemd.Boots();
        host.Drop(One);
        await host.Start();
        await host.Becomes("lp_one", "held", "boot-not-complete");
        BusView.Value(host.View.Ask("Apply", "lp_one", ("wait-for-boot", ofTheBoot)));
        host.Barrier();
        await host.Becomes("lp_one", state);
    }

    [Fact]
    public async Task Without_a_bus_systemd_is_asked_at_its_own_door()
    {
        await using var host = new TestHost(startBus: false, uptime: TimeSpan.FromMinutes(1) - TimeProvider.System.GetElapsedTime(0));
        using var systemd = new FakePrivateSocket(host.Root, finished: 1);
        host.Drop(One);
        await host.Start(waitForBus: false);
        await Limit.Until(() => host.Kernel.Active.Contains("lp_one"), () => host.Log.Text);
        Assert.Equal(1, systemd.Answers);
    }

    [Fact]
    public async Task Without_a_word_about_the_boot_it_is_complete_after_ten_minutes()
    {
        // Whatever the machine's own uptime is, the host has been up for a minute.
        await using var host = new TestHost(uptime: TimeSpan.FromMinutes(1) - TimeProvider.System.GetElapsedTime(0));
        host.Drop(One);
        await host.Start();
        await host.Becomes("lp_one", "held", "boot-not-complete");
        host.Time.Skip(TimeSpan.FromMinutes(10));
        host.Barrier();
        await host.Becomes("lp_one", "active");
    }

    [Fact]
    public async Task Three_unclean_ends_in_a_row_make_the_next_run_observe_for_a_while()
    {
        await using var host = new TestHost();
        await host.Start();
        var mark = host.Root.Path("/var/lib/livepatchd/state/host");
        for (var ends = 0; ends < 3; ends++)
        {
            // A killed run leaves the mark as it was while it ran.
            var running = File.ReadAllBytes(mark);
            await host.Stop();
            File.WriteAllBytes(mark, running);
            await host.Start();
        }
        host.Drop(One);
        await host.Becomes("lp_one", "held", "crash-loop");
        Assert.Equal("crash-loop", host.View.Manager()["Reason"]);
        Assert.Equal(0, host.Kernel.LoadsOf("lp_one"));
        host.Time.Skip(TimeSpan.FromMinutes(5));
        host.Barrier();
        await host.Becomes("lp_one", "active");
        Assert.Equal("", host.View.Manager()["Reason"]);
    }
}
