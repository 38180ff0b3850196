// Patches that somebody else loaded are shown and never touched; patches that somebody else took out are not fought over.
namespace LivePatchd.EndToEnd.Tests;

public sealed class ForeignTests
{
    /// <summary>From 6.14 the kernel tells the order under klp_mutex, and holds it through a whole load.</summary>
    [Fact]
    public async Task StackOrder_KernelHoldsItsLock_LoopGoesOn()
    {
        await using var host = new TestHost();
        host.Kernel = new TestKernel(host.Root) { KnowsOrder = true };
        host.Kernel.OrderGate.Reset();
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "active");
        Assert.Equal(-1, host.View.Patch("lp_two")["StackOrder"]);
        host.Remove("lp_one.ko");
        await Limit.Until(() => !host.Kernel.Has("lp_one"), () => host.Log.Text);

        host.Kernel.OrderGate.Set();
        await Limit.Until(() => (int)host.View.Patch("lp_two")["StackOrder"] == 2, () => host.Log.Text);
    }

    [Fact]
    public async Task A_foreign_patch_is_untouched_by_start_reload_and_stop()
    {
        await using var host = new TestHost();
        host.Kernel.Insmod(new Patch("lp_foreign"));
        await host.Start();
        await host.Becomes("lp_foreign", "foreign", "loaded-by-hand");
        Assert.Equal("foreign", host.View.Patch("lp_foreign")["Origin"]);
        BusView.Value(host.View.Reload());
        host.Barrier();
        await host.Restart();
        await host.Becomes("lp_foreign", "foreign");
        BusView.Refused(host.View.Ask("Revert", "lp_foreign"), "NameConflict", "loaded-by-hand");
        host.Barrier();
        await host.Stop();
        Assert.Empty(host.Kernel.Calls);
        Assert.Equal(["lp_foreign"], host.Kernel.Active);
    }

    [Fact]
    public async Task The_same_build_in_the_directory_hands_it_over_as_it_stands()
    {
        await using var host = await TestHost.Started();
        var patch = new Patch("lp_foreign");
        host.Kernel.Insmod(patch);
        host.Barrier();
        await host.Becomes("lp_foreign", "foreign");
        host.Drop(patch);
        await host.Becomes("lp_foreign", "active");
        Assert.Equal("adopted", host.View.Patch("lp_foreign")["Origin"]);
        Assert.Empty(host.Kernel.Calls);

        host.Remove("lp_foreign.ko");
        await host.Becomes("lp_foreign", "reverted");
        Assert.False(host.Kernel.Has("lp_foreign"));
    }

    [Fact]
    public async Task Another_build_of_a_foreign_name_waits_and_is_loaded_when_the_name_is_free()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Insmod(new Patch("lp_foreign", 1));
        host.Drop(new Patch("lp_foreign", 2));
        await host.Becomes("lp_foreign", "held", "name-in-use");
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);

        host.Kernel.DisableByHand("lp_foreign");
        host.Kernel.Complete();
        await Limit.Until(() =>
        {
            host.Kernel.Free();
            host.Barrier();
            return host.View.Find("lp_foreign") is { State: "held", Reason: "name-in-use" };
        });
        host.Kernel.Rmmod("lp_foreign");
        host.Barrier();
        await host.Becomes("lp_foreign", "active");
        Assert.Equal(["load lp_foreign ok"], host.Kernel.Calls);
    }

    [Theory]
    [InlineData(1, "active", "")]
    [InlineData(2, "held", "name-in-use")]
    public async Task Somebody_who_is_quicker_with_the_same_name_is_not_fought(int build, string state, string reason)
    {
        await using var host = await TestHost.Started();
        var mine = new Patch("lp_one");
        host.Kernel.BeforeLoad = () => host.Kernel.Insmod(mine with { Build = build });
        host.Drop(mine);
        await Limit.Until(() => host.Kernel.LoadsOf("lp_one") == 1, () => host.Log.Text);
        await host.Becomes("lp_one", state, reason);
        // Whatever else is done is said so; theirs stays in the kernel, and the call is not made again and again.
        host.Barrier();
        Assert.Equal(["load lp_one EEXIST"], host.Kernel.Calls);
        Assert.Equal(["lp_one"], host.Kernel.Active);
    }

    [Fact]
    public async Task What_is_taken_out_by_hand_stays_out_until_somebody_asks()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Kernel.DisableByHand("lp_one");
        host.Kernel.Complete();
        host.Kernel.Free();
        host.Barrier();
        await host.Becomes("lp_one", "held", "disabled-by-hand");
        host.Barrier();
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
        Assert.False(host.Kernel.Has("lp_one"));

        Assert.Equal("done", await host.View.Job("Apply", "lp_one"));
        await host.Becomes("lp_one", "active", "");
        Assert.Equal(2, host.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task A_foreign_transition_is_shown_and_waited_for()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Kernel.Insmod(new Patch("lp_foreign"));
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "staged", "transition-in-progress");
        Assert.Equal("lp_foreign", host.View.Manager()["TransitionPatch"]);
        Assert.Empty(host.Kernel.Calls);
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_one", "active");
        Assert.Equal("foreign", host.View.Find("lp_foreign")!.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Check_AStrangersCumulativePatchReplacedOurs_IsPendingAndNamesIt(bool knowsReplace)
    {
        await using var host = new TestHost();
        host.Kernel = new TestKernel(host.Root) { KnowsReplace = knowsReplace };
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Barrier();
        host.Kernel.Insmod(new Patch("lp_all") { Replace = true });
        host.Barrier();
        await host.Becomes("lp_one", "superseded", "replaced-by-foreign");
        Assert.Contains("by lp_all", (await Tool.Ctl(host, "check")).Exits(3).Output, StringComparison.Ordinal);
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));

        // Nobody here said that it should not be in force: it is again, once the stranger has gone.
        host.Kernel.DisableByHand("lp_all");
        host.Kernel.Complete();
        host.Kernel.Free();
        host.Kernel.Rmmod("lp_all");
        host.Barrier();
        await host.Becomes("lp_one", "active");
    }

    [Fact]
    public async Task Check_ReplacedWhileNobodyLookedAndTheKernelDoesNotSay_NamesTheDoubt()
    {
        await using var host = new TestHost();
        host.Kernel = new TestKernel(host.Root) { KnowsReplace = false };
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        await host.Stop();
        host.Kernel.Insmod(new Patch("lp_all") { Replace = true });
        await Limit.Until(() => host.Kernel.Active.SequenceEqual(["lp_all"]));
        await host.Start();
        await host.Becomes("lp_one", "held", "disabled-by-hand");
        Assert.Contains("or replaced by lp_all", (await Tool.Ctl(host, "check")).Exits(3).Output, StringComparison.Ordinal);
    }
}
