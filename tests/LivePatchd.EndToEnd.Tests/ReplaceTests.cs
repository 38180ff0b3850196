// Cumulative patches: one takes the place of all, with and without the kernel's `replace` attribute.
namespace LivePatchd.EndToEnd.Tests;

public sealed class ReplaceTests
{
    private static readonly string[] Old = ["lp_a", "lp_b", "lp_c"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_three_replaced_patches_none_stays_and_exactly_one_is_active(bool knowsReplace)
    {
        await using var host = new TestHost();
        host.Kernel = new TestKernel(host.Root) { KnowsReplace = knowsReplace };
        await host.Start();
        foreach (var name in Old)
        {
            host.Drop(new Patch(name));
            await host.Becomes(name, "active");
        }
        host.Drop(new Patch("lp_all") { Replace = true });
        await host.Becomes("lp_all", "active");
        foreach (var name in Old)
            await host.Becomes(name, "superseded", "replaced-by-newer");
        await Limit.Until(() => !Old.Any(host.Kernel.Has), () => host.Log.Text);
        host.Barrier();

        Assert.Equal(["lp_all"], host.Kernel.Active);
        Assert.Equal(["lp_all"], host.View.List().Value!.Where(p => p.State == "active").Select(p => p.Name));
        Assert.Equal(4, host.Kernel.Calls.Count(c => c.StartsWith("load ", StringComparison.Ordinal)));
        Assert.DoesNotContain(host.Kernel.Calls, c => c.StartsWith("disable ", StringComparison.Ordinal));
        Assert.Equal(knowsReplace ? "yes" : "unknown", host.View.Patch("lp_all")["Replace"]);

        // Neither a restart nor a reboot brings the superseded ones back while their successor is wanted.
        await host.Restart();
        host.Barrier();
        Assert.Equal(["lp_all"], host.Kernel.Active);
        foreach (var name in Old)
            Assert.Equal("superseded", host.View.Find(name)!.State);
    }

    [Fact]
    public async Task Superseded_files_that_are_taken_out_disappear_and_a_new_build_of_one_is_applied()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_a"));
        host.Drop(new Patch("lp_b"));
        await host.Becomes("lp_a", "active");
        await host.Becomes("lp_b", "active");
        host.Drop(new Patch("lp_all") { Replace = true });
        await host.Becomes("lp_a", "superseded");
        await host.Becomes("lp_b", "superseded");
        await Limit.Until(() => !host.Kernel.Has("lp_a") && !host.Kernel.Has("lp_b"));
        host.Drop(new Patch("lp_a", 2));
        await host.Becomes("lp_a", "active");
        Assert.Equal(["lp_a", "lp_all"], host.Kernel.Active);
    }

    [Fact]
    public async Task When_the_cumulative_patch_is_taken_out_the_older_ones_come_back()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_a"));
        await host.Becomes("lp_a", "active");
        host.Drop(new Patch("lp_all") { Replace = true });
        await host.Becomes("lp_a", "superseded");
        await host.Becomes("lp_all", "active");
        host.Remove("lp_all.ko");
        await host.Becomes("lp_all", "reverted");
        await host.Becomes("lp_a", "active");
        Assert.Equal(["lp_a"], host.Kernel.Active);
    }

    [Fact]
    public async Task What_a_cumulative_patch_replaces_is_not_taken_out_before_it_is_in()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_a"));
        await host.Becomes("lp_a", "active");
        host.Write(TestHost.PatchDirectory + "/lp_all.yaml", "schema: 1\nname: lp_all\nreplaces: [lp_a]\n");
        host.Drop(new Patch("lp_all") { Replace = true });
        host.Remove("lp_a.ko");
        await host.Becomes("lp_all", "active");
        await Limit.Until(() => !host.Kernel.Has("lp_a"), () => host.Log.Text);
        host.Barrier();
        Assert.Equal(["lp_all"], host.Kernel.Active);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Revert_OfACumulativePatch_SaysWhatIsInForceNow(bool andSuperseded)
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_a"));
        await host.Becomes("lp_a", "active");
        host.Drop(new Patch("lp_all") { Replace = true });
        await host.Becomes("lp_a", "superseded");
        var said = (await Tool.Ctl(host, andSuperseded ? ["revert", "--and-superseded", "lp_all"] : ["revert", "lp_all"])).Exits(0).Output;
        await host.Becomes("lp_all", "reverted", "reverted-by-operator");
        if (andSuperseded)
        {
            await host.Becomes("lp_a", "reverted", "reverted-by-operator");
            host.Barrier();
            Assert.Empty(host.Kernel.Active);
            Assert.Contains("none of the patches that lp_all replaced is loaded again", said, StringComparison.Ordinal);
        }
        else
        {
            await host.Becomes("lp_a", "active", "");
            Assert.Contains("lp_a: active (loaded again in place of lp_all; 'livepatchctl revert lp_a' takes it out)", said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task RevertAll_LeavesNoneAndLoadsNoneMeanwhile()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_a"));
        await host.Becomes("lp_a", "active");
        host.Drop(new Patch("lp_b"));
        await host.Becomes("lp_b", "active");
        host.Drop(new Patch("lp_all") { Replace = true });
        await host.Becomes("lp_a", "superseded");
        await host.Becomes("lp_b", "superseded");
        host.Drop(new Patch("lp_c"));
        await host.Becomes("lp_c", "active");
        var loads = host.Kernel.Calls.Count(c => c.StartsWith("load ", StringComparison.Ordinal));

        var said = (await Tool.Ctl(host, "revert", "--all")).Exits(0).Output;
        foreach (var name in (string[])["lp_a", "lp_b", "lp_c", "lp_all"])
            Assert.Equal("reverted", host.View.Find(name)!.State);
        host.Barrier();
        Assert.Empty(host.Kernel.Active);
        Assert.Equal(loads, host.Kernel.Calls.Count(c => c.StartsWith("load ", StringComparison.Ordinal)));
        Assert.Contains("none of livepatchd's patches is in force", said, StringComparison.Ordinal);
        // And they stay out.
        await host.Restart();
        host.Barrier();
        Assert.Empty(host.Kernel.Active);
    }
}
