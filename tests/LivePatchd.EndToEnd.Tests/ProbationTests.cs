// A new patch on probation: what is held against it, how soon it goes, and what makes it trusted.
namespace LivePatchd.EndToEnd.Tests;

public sealed class ProbationTests
{
    private const string Oops = "BUG: unable to handle page fault for address: ffffffffdeadbeef";
    private static readonly Patch One = new("lp_one");

    /// <summary>With a soak of 15 minutes, and counters as kernels from 6.2 have them.</summary>
    private static TestHost Host(string soak = "duration: 15m", string more = "")
    {
        var host = new TestHost();
        host.Configure(more, soak: soak);
        host.Write("/sys/kernel/oops_count", "0\n");
        host.Write("/sys/kernel/warn_count", "3\n");
        return host;
    }

    private static async Task<TestHost> Soaking(TestHost host)
    {
        await host.Start();
        host.Drop(One);
        await host.Becomes("lp_one", "soaking");
        return host;
    }

    private static async Task Quarantined(TestHost host, string reason, string evidence)
    {
        await host.Becomes("lp_one", "quarantined", reason);
        Assert.False(host.Kernel.Has("lp_one"));
        Assert.Contains(evidence, BusView.Value(host.View.Evidence("lp_one")), StringComparison.Ordinal);
        Assert.True(host.Log.Says("lp_one", reason), host.Log.Text);
    }

    private static async Task Suspected(TestHost host, string reason, string evidence)
    {
        await host.Becomes("lp_one", "held", "suspected");
        Assert.False(host.Kernel.Has("lp_one"));
        var detail = (string)host.View.Patch("lp_one")["Detail"];
        Assert.StartsWith(reason + ": ", detail, StringComparison.Ordinal);
        Assert.Contains(evidence, detail, StringComparison.Ordinal);
    }

    /// <summary>Each pause of the soak is put forward until it is over.</summary>
    private static async Task Trusted(TestHost host)
    {
        var deadline = 0;
        await Limit.Until(
            () =>
            {
                host.Time.Skip(TimeSpan.FromMinutes(1));
                deadline++;
                host.Barrier();
                return host.View.Find("lp_one") is { State: "active" };
            },
            () => $"after {deadline} minutes: {host.View.Find("lp_one")}. {host.Log.Text}");
    }

    [Fact]
    public async Task A_soak_that_finds_nothing_ends_in_trust_that_outlives_the_boot()
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus);
        await Soaking(host);
        Assert.NotEqual(0UL, (ulong)host.View.Patch("lp_one")["SoakUntilUsec"]);
        await Trusted(host);
        Assert.Equal(0UL, (ulong)host.View.Patch("lp_one")["SoakUntilUsec"]);
        Assert.True(host.Log.Count("the soak has passed") == 1, host.Log.Text);
        Assert.True(systemd.Listings >= 4, $"{systemd.Listings} listings");

        // The machine goes down without a word: a trusted patch is not blamed, and is loaded before the boot is complete.
        await host.Stop();
        host.Reboot("22222222-2222-4222-8222-222222222222");
        systemd.Boots();
        await host.Start();
        await host.Becomes("lp_one", "active");
    }

    [Fact]
    public async Task An_oops_takes_the_patch_out_at_once_whatever_the_gates_say()
    {
        await using var host = Host();
        using var log = new FakeKernelLog(host);
        await Soaking(host);
        Assert.True(host.View.Hold("nothing is to change").IsOk);
        log.Say(Oops, "RIP: 0010:lp_new+0x5/0x10 [lp_one]", "---[ end trace 0000000000000000 ]---");
        await Quarantined(host, "kernel-oops", Oops);
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
        var entry = await host.Entry(2);
        Assert.Equal((LivePatchd.Core.Model.Reason.KernelOops, true), (entry.Why, true));
        (await Tool.Ctl(host, "check")).Exits(6);
        var shown = (await Tool.Ctl(host, "show", "lp_one")).Exits(0).Output;
        Assert.Contains($"Evidence: {Oops}", shown, StringComparison.Ordinal);
        foreach (var words in (string[][])[["list", "--json"], ["check", "--json"], ["status"]])
        {
            var told = await Tool.Ctl(host, words);
            Assert.True(told.Output.Contains("unable to handle", StringComparison.Ordinal), $"{words[0]}: {told.Output}");
        }
        // The class and the counters are for everybody, and the kernel's words for nobody but root.
        using var nobody = new BusView(UserClient.Connect(host.Bus, UserClient.Nobody));
        Assert.Equal(("kernel-oops", "oops_count 0 -> 1"), ((string)nobody.Patch("lp_one")["Reason"], (string)nobody.Patch("lp_one")["Detail"]));
        BusView.Refused(nobody.Evidence("lp_one"), "NotAuthorized", "org.livepatchd1.details");
        foreach (var told in new[] { nobody.Call("Plan"), nobody.Call("History", w => w.WriteString("")) })
        {
            Assert.Contains("kernel-oops", BusView.Value(told), StringComparison.Ordinal);
            Assert.DoesNotContain("unable to handle", told.Value!, StringComparison.Ordinal);
        }
        Assert.Contains("livepatchctl release lp_one", shown, StringComparison.Ordinal);
        (await Tool.Ctl(host, "apply", "lp_one")).Exits(6);

        // Quarantine outlives the daemon and the boot, for these bytes.
        await host.Stop();
        host.Reboot("22222222-2222-4222-8222-222222222222");
        await host.Start();
        await host.Becomes("lp_one", "quarantined", "kernel-oops");
        Assert.Equal(0, host.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task What_a_program_writes_into_the_kernel_log_is_no_evidence()
    {
        await using var host = Host();
        using var log = new FakeKernelLog(host);
        await Soaking(host);
        log.SayAsProgram(Oops);
        // Nor what the kernel writes behind a name that a program chose, and does not count.
        log.SayOnly("BUG: (77): Attempt to set a LOCK_MAND lock via flock(2).", "WARNING: CPU: 1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0", "Call Trace:");
        host.Barrier();
        await Task.Delay(TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken);
        host.Barrier();
        Assert.Equal("soaking", host.View.Find("lp_one")!.State);
    }

    [Theory]
    [InlineData("/sys/kernel/oops_count", "1", "kernel-oops", "oops_count 0 -> 1")]
    [InlineData("/sys/kernel/warn_count", "4", "kernel-warning", "warn_count 3 -> 4")]
    [InlineData("/proc/sys/kernel/tainted", "33280", "kernel-tainted", "tainted 32768 -> 33280")]
    public async Task A_counter_that_rises_is_evidence_without_a_kernel_log_too(string file, string value, string reason, string evidence)
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus);
        await Soaking(host);
        // The first round is over, and the next is a minute away: nothing else has the loop look.
        await Limit.Until(() => systemd.Listings >= 3, () => host.Log.Text);
        host.Barrier();
        host.Write(file, value + "\n");
        await Suspected(host, reason, evidence);
    }

    [Fact]
    public async Task A_restart_in_mid_soak_forgets_neither_the_soak_nor_what_it_is_judged_by()
    {
        await using var host = Host();
        await Soaking(host);
        var until = host.View.Patch("lp_one")["SoakUntilUsec"];
        await host.Restart();
        await host.Becomes("lp_one", "soaking");
        Assert.Equal(until, host.View.Patch("lp_one")["SoakUntilUsec"]);
        await host.Stop();
        host.Write("/sys/kernel/oops_count", "1\n");
        await host.Start();
        await Suspected(host, "kernel-oops", "oops_count 0 -> 1");
    }

    [Fact]
    public async Task A_unit_that_fails_after_the_load_is_evidence_and_one_from_before_is_not()
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus);
        systemd.Fail("old.service");
        await Soaking(host);
        await Limit.Until(() => systemd.Listings >= 2, () => host.Log.Text);
        host.Barrier();
        Assert.Equal("soaking", host.View.Find("lp_one")!.State);
        systemd.Fail("old.service", "web.service");
        host.Time.Skip(TimeSpan.FromSeconds(61));
        host.Barrier();
        await Suspected(host, "units-failed", "web.service");
        Assert.DoesNotContain("old.service", (string)host.View.Patch("lp_one")["Detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_required_check_that_fails_is_evidence()
    {
        await using var host = Host(soak: "duration: 15m, checks: {commands: [check-config.service]}");
        using var systemd = new FakeSystemd(host.Bus);
        host.Write("/etc/livepatchd/health.d/required.d/check-web.service", "");
        systemd.Ends("check-config.service", UnitEnd.Passes);
        systemd.Ends("check-web.service", UnitEnd.Fails);
        await host.Start();
        host.Drop(One);
        await Quarantined(host, "health-check-failed", "check-web.service failed; it is failed, result exit-code");
        Assert.Contains("check-config.service", systemd.Started);
    }

    [Fact]
    public async Task A_wanted_check_that_fails_is_a_warning_only()
    {
        await using var host = Host(soak: "duration: 2m");
        using var systemd = new FakeSystemd(host.Bus);
        host.Write("/etc/livepatchd/health.d/wanted.d/check-nice.service", "");
        host.Write("/etc/livepatchd/health.d/wanted.d/README", "not a unit");
        systemd.Ends("check-nice.service", UnitEnd.Fails);
        await Soaking(host);
        await Trusted(host);
        Assert.True(host.Log.Count("Health check check-nice.service: it is failed") >= 1, host.Log.Text);
        Assert.Equal(1, host.Log.Count("README: not the name of a service"));
    }

    [Fact]
    public async Task A_check_that_cannot_be_started_is_no_evidence_and_no_trust()
    {
        await using var host = Host(soak: "duration: 1m, checks: {commands: [check-typo.service]}");
        using var systemd = new FakeSystemd(host.Bus);
        await Soaking(host);
        for (var minutes = 0; minutes < 5; minutes++)
        {
            host.Time.Skip(TimeSpan.FromMinutes(1));
            host.Barrier();
        }
        await Limit.Until(() => systemd.Started.Count >= 2, () => host.Log.Text);
        Assert.Equal("soaking", host.View.Find("lp_one")!.State);
        Assert.True(host.Log.Count("check-typo.service: cannot be started") >= 1, host.Log.Text);
        systemd.Ends("check-typo.service", UnitEnd.Passes);
        await Trusted(host);
    }

    [Fact]
    public async Task A_check_that_does_not_end_has_failed_and_is_stopped()
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus);
        host.Write("/etc/livepatchd/health.d/required.d/check-slow.service", "");
        systemd.Ends("check-slow.service", UnitEnd.Hangs);
        await Soaking(host);
        await Limit.Until(() => !systemd.Started.IsEmpty, () => host.Log.Text);
        host.Time.Skip(TimeSpan.FromSeconds(91));
        await Quarantined(host, "health-check-failed", "it did not end within 90 s");
        Assert.Equal(["check-slow.service"], systemd.Stopped);
    }

    [Fact]
    public async Task A_systemd_that_does_not_answer_holds_no_load_for_long()
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus) { Silent = true };
        await Soaking(host);
        Assert.True(host.View.Confirm("lp_one").IsOk);
        Assert.Equal("active", host.View.Find("lp_one")!.State);
    }

    [Fact]
    public async Task A_patch_that_the_kernel_does_not_let_go_stays_and_says_so()
    {
        await using var host = Host();
        await Soaking(host);
        host.Kernel.RefuseDisable = LivePatchd.Core.Model.Errno.EINVAL;
        host.Write("/sys/kernel/oops_count", "1\n");
        host.Barrier();
        await host.Becomes("lp_one", "quarantined", "reboot-to-leave");
        Assert.Contains("kernel-oops", (string)host.View.Patch("lp_one")["Detail"], StringComparison.Ordinal);
        Assert.Equal("failed", await host.View.ListenForJobs().Job("Revert", "lp_one"));
        Assert.Equal(["lp_one"], host.Kernel.Active);
        host.Kernel.RefuseDisable = LivePatchd.Core.Model.Errno.None;
        Assert.Equal("done", await host.View.Job("Revert", "lp_one"));
        Assert.False(host.Kernel.Has("lp_one"));
    }

    [Fact]
    public async Task Who_must_confirm_and_does_not_loses_the_patch_and_may_apply_it_again()
    {
        await using var host = Host(soak: "duration: 2m, confirm: manual");
        await Soaking(host);
        host.Time.Skip(TimeSpan.FromMinutes(3));
        host.Barrier();
        await host.Becomes("lp_one", "reverted", "not-confirmed");
        Assert.False(host.Kernel.Has("lp_one"));

        Assert.Equal("done", await host.View.ListenForJobs().Job("Apply", "lp_one"));
        Assert.True(host.View.Confirm("lp_one").IsOk);
        Assert.Equal("active", host.View.Find("lp_one")!.State);
        host.Time.Skip(TimeSpan.FromMinutes(3));
        host.Barrier();
        Assert.Equal("active", host.View.Find("lp_one")!.State);
        Assert.True(host.View.Confirm("lp_one").IsOk);
        BusView.Refused(host.View.Confirm("lp_none"), "NoSuchPatch");
    }

    [Fact]
    public async Task One_apply_may_ask_for_a_confirmation()
    {
        await using var host = Host(soak: "duration: 2m");
        host.Configure("mode: apply\n", gates: "settle: 0s, unavailable: apply", soak: "duration: 2m");
        await host.Start();
        Assert.True(host.View.Hold("later").IsOk);
        host.Drop(One);
        await host.Becomes("lp_one", "held", "operator-hold");
        BusView.Refused(host.View.Ask("Apply", "lp_one", ("confirm", "yes")), "InvalidArgument", "boolean");
        BusView.Refused(host.View.Ask("Revert", "lp_one", ("confirm", true)), "InvalidArgument", "knows no option");
        var job = BusView.Value(host.View.Ask("Apply", "lp_one", ("confirm", true), ("override-gates", true)));
        Assert.Equal("done", await host.View.Result(job));
        await host.Becomes("lp_one", "soaking");
        host.Time.Skip(TimeSpan.FromMinutes(3));
        host.Barrier();
        await host.Becomes("lp_one", "reverted", "not-confirmed");
    }

    [Fact]
    public async Task A_release_lets_the_same_bytes_in_again_and_an_apply_before_it_is_refused()
    {
        await using var host = Host();
        await Soaking(host);
        host.Write("/sys/kernel/oops_count", "1\n");
        host.Barrier();
        await host.Becomes("lp_one", "held", "suspected");
        BusView.Refused(host.View.Ask("Apply", "lp_one"), "Quarantined", "release it first");
        BusView.Refused(host.View.Release("lp_none"), "NoSuchPatch");
        Assert.True(host.View.Release("lp_one").IsOk);
        await host.Becomes("lp_one", "soaking");
        Assert.Equal(2, host.Kernel.LoadsOf("lp_one"));
        BusView.Refused(host.View.Release("lp_one"), "InvalidArgument", "not under quarantine");
    }

    [Fact]
    public async Task A_suspect_comes_back_after_a_pause_and_the_second_time_after_a_day()
    {
        await using var host = Host();
        await Soaking(host);
        host.Write("/sys/kernel/oops_count", "1\n");
        host.Barrier();
        await host.Becomes("lp_one", "held", "suspected");
        host.Time.Skip(TimeSpan.FromMinutes(4));
        host.Barrier();
        Assert.Equal("held", host.View.Find("lp_one")!.State);
        host.Time.Skip(TimeSpan.FromMinutes(2));
        host.Barrier();
        await host.Becomes("lp_one", "soaking");
        Assert.Equal(2, host.Kernel.LoadsOf("lp_one"));
        // What it was taken out for is the baseline of the second try.
        host.Write("/sys/kernel/oops_count", "2\n");
        host.Barrier();
        await Quarantined(host, "kernel-oops", "oops_count 1 -> 2");
        host.Time.Skip(TimeSpan.FromHours(23));
        host.Barrier();
        Assert.Equal("quarantined", host.View.Find("lp_one")!.State);
        host.Time.Skip(TimeSpan.FromHours(2));
        host.Barrier();
        await host.Becomes("lp_one", "soaking");
        Assert.Equal(3, host.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task A_users_manager_that_dies_prolongs_the_soak_and_takes_nothing_out()
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus);
        await Soaking(host);
        var until = (ulong)host.View.Patch("lp_one")["SoakUntilUsec"];
        await Limit.Until(() => systemd.Listings >= 2, () => host.Log.Text);
        systemd.Fail("user@1000.service", "session-4.scope", "run-user-1000.mount");
        host.Time.Skip(TimeSpan.FromSeconds(61));
        host.Barrier();
        await Limit.Until(() => host.Log.Count("a coincidence, its soak is prolonged: failed: run-user-1000.mount") == 1, () => host.Log.Text);
        Assert.Equal("soaking", host.View.Find("lp_one")!.State);
        Assert.True((ulong)host.View.Patch("lp_one")["SoakUntilUsec"] > until + 50_000_000);
    }

    [Fact]
    public async Task Another_build_of_a_quarantined_patch_is_another_patch()
    {
        await using var host = Host();
        await Soaking(host);
        host.Write("/sys/kernel/oops_count", "1\n");
        host.Barrier();
        await host.Becomes("lp_one", "held", "suspected");
        host.Drop(One with { Build = 2 });
        await host.Becomes("lp_one", "soaking");
    }

    [Fact]
    public async Task A_deadline_ends_what_gates_may_hold()
    {
        await using var host = new TestHost();
        host.Configure("mode: apply\n", gates: "settle: 0s, unavailable: hold");
        await host.Start();
        host.Drop(One);
        await host.Becomes("lp_one", "held");
        var deadline = (ulong)(host.Time.GetUtcNow() + TimeSpan.FromHours(2) - DateTimeOffset.UnixEpoch).TotalMicroseconds;
        _ = BusView.Value(host.View.Ask("Apply", "lp_one", ("deadline-usec", deadline)));
        await host.Becomes("lp_one", "held");
        host.Time.Skip(TimeSpan.FromHours(1));
        host.Barrier();
        Assert.Equal("held", host.View.Find("lp_one")!.State);
        host.Time.Skip(TimeSpan.FromMinutes(61));
        host.Barrier();
        await host.Becomes("lp_one", "active");
    }

    [Fact]
    public async Task An_oops_inside_the_load_costs_the_thread_and_nothing_else()
    {
        await using var host = Host();
        using var log = new FakeKernelLog(host);
        await host.Start();
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "soaking");
        host.Kernel.Dies = () =>
        {
            host.Kernel.Dies = null;
            log.Say(Oops, "RIP: 0010:lp_init+0x5/0x10 [lp_one]", "---[ end trace 0000000000000000 ]---");
            DyingThread.End();
        };
        host.Drop(One);
        await host.Becomes("lp_one", "reverting", "kernel-oops");
        // The module is stuck in the kernel: there is no way out but a reboot.
        host.Time.Skip(TimeSpan.FromSeconds(20));
        host.Barrier();
        await host.Becomes("lp_one", "quarantined", "reboot-to-leave");
        Assert.True(host.Log.Count("lp_one: the kernel ended the thread inside load") == 1, host.Log.Text);
        Assert.False(host.Log.Says("lp_one", "disabled-by-hand"), host.Log.Text);
        Assert.Equal("soaking", host.View.Find("lp_two")!.State);

        // The daemon goes on, and does not try it again.
        host.Drop(new Patch("lp_three"));
        await host.Becomes("lp_three", "soaking");
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
    }
}
