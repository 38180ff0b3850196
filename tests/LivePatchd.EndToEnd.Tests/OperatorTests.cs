// What people ask on the bus: jobs with their signals and results, and every wrong question answered by its name.
namespace LivePatchd.EndToEnd.Tests;

public sealed class OperatorTests
{
    [Fact]
    public async Task Revert_keeps_the_file_and_is_remembered_until_apply()
    {
        await using var host = await TestHost.Started();
        var path = host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        using var view = host.Connect().ListenForJobs();

        Assert.Equal("done", await view.Job("Revert", "lp_one"));
        Assert.False(host.Kernel.Has("lp_one"));
        Assert.True(File.Exists(path));
        Assert.Equal(("reverted", "reverted-by-operator"), (host.View.Find("lp_one")!.State, host.View.Find("lp_one")!.Reason));
        await host.Restart();
        host.Barrier();
        Assert.Equal("reverted", host.View.Find("lp_one")!.State);
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));

        host.Boot("22222222-2222-4222-8222-222222222222");
        host.Kernel = new TestKernel(host.Root);
        await host.Restart();
        host.Barrier();
        Assert.Equal("reverted", host.View.Find("lp_one")!.State);
        Assert.Equal("done", await view.Job("Apply", "lp_one"));
        Assert.Equal("active", host.View.Find("lp_one")!.State);
        Assert.Equal([("JobNew", 1U, ""), ("JobRemoved", 1U, "done")], view.JobSignals.Take(2));
        Assert.Equal([("JobNew", 1U, ""), ("JobRemoved", 1U, "done")], view.JobSignals.Skip(2));
    }

    [Fact]
    public async Task Apply_of_what_is_active_and_revert_of_what_is_out_are_done_at_once()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Assert.Equal("done", await host.View.Job("Apply", "lp_one"));
        Assert.Equal("done", await host.View.Job("Revert", "lp_one"));
        Assert.Equal("done", await host.View.Job("Revert", "lp_one"));
        Assert.Equal(["load lp_one ok", "disable lp_one ok", "unload lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task Who_asks_for_the_same_gets_the_same_end()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "transitioning");
        var first = BusView.Value(host.View.Ask("Apply", "lp_one"));
        var second = BusView.Value(host.View.Ask("Apply", "lp_one"));
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        Assert.Equal("done", await host.View.Result(first));
        Assert.Equal("done", await host.View.Result(second));
    }

    [Fact]
    public async Task Who_asks_for_the_opposite_ends_what_others_asked_for()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "transitioning");
        var apply = BusView.Value(host.View.Ask("Apply", "lp_one"));
        var revert = BusView.Value(host.View.Ask("Revert", "lp_one"));
        Assert.Equal("cancelled", await host.View.Result(apply));
        await host.Becomes("lp_one", "reversing");
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        Assert.Equal("done", await host.View.Result(revert));
    }

    [Fact]
    public async Task A_client_that_goes_away_in_mid_transition_ends_nothing()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "transitioning");
        string job;
        using (var leaving = UserClient.Connect(host.Bus, 0))
            job = BusView.Value(new BusView(leaving).Ask("Apply", "lp_one"));
        host.Barrier();
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        Assert.Equal("done", await host.View.Result(job));
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task Gdbus_is_a_client_like_any_other()
    {
        Assert.SkipUnless(Tool.Exists("gdbus"), "gdbus is not installed");
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Task<ToolResult> Call(params string[] arguments) => Tool.Run(
            ["gdbus", "call", "--address", host.Bus.Address, "--dest", "org.livepatchd1", "--object-path", "/org/livepatchd1", "--method", .. arguments]);
        Assert.Equal("()\n", (await Call("org.livepatchd1.Manager.Hold", "a test", "0")).Exits(0).Output);
        Assert.Contains("'lp_one', 'active'", (await Call("org.livepatchd1.Manager.ListPatches")).Exits(0).Output, StringComparison.Ordinal);
        Assert.Equal("(objectpath '/org/livepatchd1/job/1',)\n", (await Call("org.livepatchd1.Manager.Revert", "lp_one", "{'override-gates': <true>}")).Exits(0).Output);
        await host.Becomes("lp_one", "reverted", "reverted-by-operator");
        Assert.Contains("org.livepatchd1.Error.NoSuchPatch", (await Call("org.livepatchd1.Manager.Apply", "lp_two", "{}")).Exits(1).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Apply_right_after_the_rename_knows_the_file()
    {
        await using var host = await TestHost.Started();
        for (var i = 0; i < 5; i++)
        {
            host.Drop(new Patch($"lp_{i}"));
            Assert.Equal("done", await host.View.Job("Apply", $"lp_{i}"));
            Assert.Equal("active", host.View.Find($"lp_{i}")!.State);
        }
    }

    [Fact]
    public async Task A_request_during_a_load_is_answered_when_the_load_and_the_next_scan_are_over()
    {
        await using var host = await TestHost.Started();
        host.Kernel.LoadGate.Reset();
        host.Drop(new Patch("lp_slow"));
        await host.Becomes("lp_slow", "loading");
        var job = BusView.Value(host.View.Ask("Apply", "lp_slow"));
        host.Kernel.LoadGate.Set();
        Assert.Equal("done", await host.View.Result(job));
    }

    [Fact]
    public async Task Apply_of_a_refused_patch_ends_as_rejected_and_of_a_held_one_as_held()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_bad") { Release = "5.0.0" });
        Assert.Equal("rejected", await host.View.Job("Apply", "lp_bad"));
        host.Write("/proc/sys/kernel/ftrace_enabled", "0\n");
        host.Drop(new Patch("lp_one"));
        Assert.Equal("held", await host.View.Job("Apply", "lp_one"));
    }

    [Fact]
    public async Task The_opposite_request_cancels_the_open_job_and_turns_the_transition_round()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_busy"));
        var apply = BusView.Value(host.View.Ask("Apply", "lp_busy"));
        await host.Becomes("lp_busy", "transitioning");
        var revert = BusView.Value(host.View.Ask("Revert", "lp_busy"));
        Assert.Equal("cancelled", await host.View.Result(apply));
        await host.Becomes("lp_busy", "reversing", "reverted-by-operator");
        await Limit.Until(() => host.Kernel.Calls.Contains("disable lp_busy ok"));
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        Assert.Equal("done", await host.View.Result(revert));
        Assert.False(host.Kernel.Has("lp_busy"));
    }

    [Fact]
    public async Task Cancel_of_a_job_asks_for_the_opposite_once()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_busy"));
        var apply = BusView.Value(host.View.Ask("Apply", "lp_busy"));
        await host.Becomes("lp_busy", "transitioning");
        BusView.Value(host.View.Cancel(apply));
        Assert.Equal("cancelled", await host.View.Result(apply));
        BusView.Refused(host.View.Cancel(apply), "InvalidArgument");
        await Limit.Until(() => host.Kernel.Calls.Contains("disable lp_busy ok"));
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_busy", "reverted", "reverted-by-operator");
    }

    [Fact]
    public async Task Wrong_questions_get_the_right_errors_and_change_nothing()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        BusView.Refused(host.View.Ask("Apply", "lp_none"), "NoSuchPatch");
        BusView.Refused(host.View.Ask("Revert", "lp_none"), "NoSuchPatch");
        BusView.Refused(host.View.Unstage("lp_none"), "NoSuchPatch");
        foreach (var bad in new[] { "", "a/b", "../x", "with space", new string('x', 56) })
        {
            BusView.Refused(host.View.Ask("Apply", bad), "InvalidArgument");
            BusView.Refused(host.View.Ask("Revert", bad), "InvalidArgument");
            BusView.Refused(host.View.Unstage(bad), "InvalidArgument");
        }
        BusView.Refused(host.View.Ask("Apply", "lp_one", ("no-such-option", true)), "InvalidArgument", "no-such-option");
        BusView.Refused(host.View.Ask("Revert", "lp_one", ("confirm", "yes")), "InvalidArgument", "confirm");
        host.Barrier();
        Assert.Equal("active", host.View.Find("lp_one")!.State);
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task Others_than_root_may_read_and_change_nothing()
    {
        Assert.SkipUnless(Tool.Exists("setpriv") && Tool.Exists("busctl"), "setpriv or busctl is not installed");
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Task<ToolResult> As(string method, params string[] arguments) => Tool.Run(
        [
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "busctl", $"--address={host.Bus.Address}", "call", "org.livepatchd1", "/org/livepatchd1", "org.livepatchd1.Manager", method, .. arguments,
        ]);

        Assert.Contains("lp_one", (await As("ListPatches")).Exits(0).Output, StringComparison.Ordinal);
        (await As("Plan")).Exits(0);
        string[][] mutators = [["Apply", "sa{sv}", "lp_one", "0"], ["Revert", "sa{sv}", "lp_one", "0"], ["Unstage", "s", "lp_one"], ["Reload"]];
        foreach (var call in mutators)
            Assert.Contains("polkit cannot be reached", (await As(call[0], call[1..])).Exits(1).Error, StringComparison.Ordinal);
        host.Barrier();
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task More_open_jobs_than_the_limit_are_refused()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_busy"));
        await host.Becomes("lp_busy", "transitioning");
        for (var i = 0; i < 65; i++)
            host.Drop(new Patch($"lp_{i}"));
        await host.Becomes("lp_64", "staged");
        for (var i = 0; i < 64; i++)
            BusView.Value(host.View.Ask("Apply", $"lp_{i}"));
        BusView.Refused(host.View.Ask("Apply", "lp_64"), "LimitsExceeded");
    }

    [Fact]
    public async Task One_user_cannot_have_all_the_jobs_and_a_refused_request_leaves_no_record()
    {
        await using var host = await TestHost.Started();
        using var polkit = new FakePolkit(host.Bus, PolkitMood.Yes);
        using var user = new BusView(UserClient.Connect(host.Bus, UserClient.Nobody));
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_busy"));
        await host.Becomes("lp_busy", "transitioning");
        for (var i = 0; i <= 16; i++)
            host.Drop(new Patch($"lp_{i}"));
        await host.Becomes("lp_16", "staged");
        for (var i = 0; i < 16; i++)
            BusView.Value(user.Ask("Apply", $"lp_{i}"));
        BusView.Refused(user.Ask("Apply", "lp_16"), "LimitsExceeded");
        BusView.Refused(user.Ask("Revert", "lp_16"), "LimitsExceeded");
        BusView.Value(host.View.Ask("Apply", "lp_15"));
        Assert.Equal("staged", host.View.Find("lp_16")!.State);
    }

    [Fact]
    public async Task The_tool_shows_and_steers_the_same_host()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Assert.Contains("\"state\": \"active\"", (await Tool.Ctl(host, "list", "--json")).Exits(0).Output, StringComparison.Ordinal);
        (await Tool.Ctl(host, "check")).Exits(0);
        (await Tool.Ctl(host, "revert", "lp_one")).Exits(0);
        Assert.False(host.Kernel.Has("lp_one"));
        var file = Path.Combine(host.Directory, "lp_two.ko");
        await File.WriteAllBytesAsync(file, new Patch("lp_two").Bytes, TestContext.Current.CancellationToken);
        (await Tool.Ctl(host, "apply", file)).Exits(0);
        Assert.Equal(["lp_two"], host.Kernel.Active);
        (await Tool.Ctl(host, "apply", "lp_none")).Exits(4);
        (await Tool.Ctl(host, "unstage", "lp_two")).Exits(0);
        await host.Becomes("lp_two", "reverted", "removed-from-directory");
    }
}
