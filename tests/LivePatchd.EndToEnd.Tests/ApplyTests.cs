// A file in the directory becomes an active patch, and taking it out brings the old code back.
namespace LivePatchd.EndToEnd.Tests;

public sealed class ApplyTests
{
    [Fact]
    public async Task A_dropped_file_becomes_active_and_goes_with_the_file()
    {
        await using var host = await TestHost.Started();
        var patch = new Patch("lp_one");
        var path = host.Drop(patch);

        var listed = await host.Becomes("lp_one", "active", "");
        Assert.Equal(patch.Digest, listed.Sha256);
        var shown = host.View.Patch("lp_one");
        Assert.Equal(patch.BuildIdHex, shown["BuildId"]);
        Assert.Equal("daemon", shown["Origin"]);
        Assert.Equal(path, host.Root.Path((string)shown["File"]));
        Assert.Equal(TestHost.Release, shown["KernelRelease"]);
        Assert.Equal("no", shown["Replace"]);
        Assert.NotEqual(0UL, shown["LoadedSinceUsec"]);
        Assert.Equal("running", host.View.Manager()["State"]);

        host.Remove("lp_one.ko");
        await host.Becomes("lp_one", "reverted", "removed-from-directory");
        Assert.False(host.Kernel.Has("lp_one"));
        Assert.Equal(["load lp_one ok", "disable lp_one ok", "unload lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task The_copy_that_was_inspected_is_what_is_loaded_and_goes_when_nobody_wants_it()
    {
        await using var host = await TestHost.Started();
        var patch = new Patch("lp_one");
        host.Drop(patch);
        await host.Becomes("lp_one", "active");
        var copy = host.Root.Path($"/var/lib/livepatchd/store/{patch.Digest}.ko");
        Assert.Equal(patch.Bytes, await File.ReadAllBytesAsync(copy, TestContext.Current.CancellationToken));
        host.Remove("lp_one.ko");
        await host.Becomes("lp_one", "reverted");
        host.Barrier();
        Assert.False(File.Exists(copy));
    }

    [Fact]
    public async Task Two_patches_live_side_by_side_and_the_first_can_go_alone()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_one", "active");
        await host.Becomes("lp_two", "active");
        host.Remove("lp_one.ko");
        await host.Becomes("lp_one", "reverted");
        Assert.Equal(["lp_two"], host.Kernel.Active);
        Assert.Equal("active", host.View.Find("lp_two")!.State);
        Assert.Equal(1, host.Kernel.LoadsOf("lp_two"));
    }

    [Fact]
    public async Task A_transition_that_stays_open_is_shown_with_its_age_then_stalled_and_completes_when_released()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_busy"));
        await host.Becomes("lp_busy", "transitioning");
        Assert.Equal("lp_busy", host.View.Manager()["TransitionPatch"]);
        Assert.NotEqual(0UL, host.View.Manager()["TransitionSinceUsec"]);

        host.Drop(new Patch("lp_next"));
        await host.Becomes("lp_next", "staged", "transition-in-progress");
        host.Time.Skip(TimeSpan.FromSeconds(16));
        await host.Becomes("lp_busy", "stalled", "transition-overdue");
        Assert.Equal(["load lp_busy ok"], host.Kernel.Calls);

        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_busy", "active", "");
        await host.Becomes("lp_next", "active", "");
        Assert.Equal(["load lp_busy ok", "load lp_next ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task A_file_taken_out_in_mid_transition_is_reversed_and_its_module_collected()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_busy"));
        await host.Becomes("lp_busy", "transitioning");
        host.Remove("lp_busy.ko");
        await host.Becomes("lp_busy", "reversing");
        await Limit.Until(() => host.Kernel.Calls.Contains("disable lp_busy ok"));
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_busy", "reverted", "removed-from-directory");
        Assert.False(host.Kernel.Has("lp_busy"));
    }

    [Fact]
    public async Task A_load_that_takes_long_is_shown_and_holds_up_nothing_else()
    {
        await using var host = await TestHost.Started();
        host.Kernel.LoadGate.Reset();
        host.Drop(new Patch("lp_slow"));
        await host.Becomes("lp_slow", "loading");
        Assert.Contains("\"holds\"", host.View.Plan(), StringComparison.Ordinal);
        host.Kernel.LoadGate.Set();
        await host.Becomes("lp_slow", "active");
    }

    [Fact]
    public async Task A_module_that_something_holds_is_not_forced_out_and_says_so()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Kernel.Hold("lp_one");
        host.Remove("lp_one.ko");
        await host.Becomes("lp_one", "reverting");
        host.Time.Skip(TimeSpan.FromSeconds(16));
        await host.Becomes("lp_one", "held", "module-in-use");
        Assert.True(host.Kernel.Has("lp_one"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_new_build_of_a_name_is_reported_taken_out_and_loaded(bool held)
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one", 1));
        await host.Becomes("lp_one", "active");
        host.Kernel.HoldsFree = held;
        var second = new Patch("lp_one", 2);
        host.Drop(second);
        if (held)
        {
            await host.Becomes("lp_one", "reverting", "new-version");
            host.Kernel.HoldsFree = false;
            host.Kernel.Free();
        }
        await Limit.Until(() => host.View.Find("lp_one") is { State: "active" } p && p.Sha256 == second.Digest, () => host.Log.Text);
        Assert.Equal(["load lp_one ok", "disable lp_one ok", "unload lp_one ok", "load lp_one ok"], host.Kernel.Calls);
        Assert.Equal(second.BuildIdHex, host.View.Patch("lp_one")["BuildId"]);
    }
}
