// `kpatch unload`: out of the kernel or a failure, never a failure that is kept quiet.
namespace LivePatchd.Ctl.Tests;

public sealed class KpatchUnloadTests : CtlTest
{
    private static readonly (string, string)[] InKernel = [("vmlinux", "yes")];

    [Theory]
    [InlineData("lp_one")]
    [InlineData("lp-one")]
    [InlineData("lp-one.ko")]
    [InlineData("/var/lib/kpatch/any/lp_one.ko")]
    public void A_loaded_patch_is_reverted(string argument)
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve(new FakePatch { Name = "lp_one" });
        var run = root.Kpatch("unload", argument);
        Assert.Equal((0, "disabling patch module: lp_one\nunloading patch module: lp_one\n", ""), (run.ExitCode, run.Output, run.Error));
        Assert.Equal(["revert lp_one"], daemon.Asked);
    }

    [Theory]
    [InlineData("reverted")]
    [InlineData("rejected")]
    [InlineData("quarantined")]
    [InlineData(null)]
    public void What_is_not_loaded_is_1(string? state)
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = state is null ? Serve() : Serve(new FakePatch { Name = "lp_one", State = state });
        var run = root.Kpatch("unload", "lp_one");
        Assert.Equal((1, "", "kpatch: patch module lp_one is not loaded\nkpatch: failed to disable module lp_one\n"), (run.ExitCode, run.Output, run.Error));
        Assert.Empty(daemon.Asked);
    }

    [Theory]
    [InlineData("staged")]
    [InlineData("held")]
    [InlineData("superseded")]
    public void What_is_on_its_way_in_stays_out(string state)
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve(new FakePatch { Name = "lp_one", State = state });
        Assert.Equal("patch module lp_one is not in the kernel, and stays out\n", root.Kpatch("unload", "lp_one").Succeeded().Output);
        Assert.Equal(["revert lp_one"], daemon.Asked);
    }

    [Theory]
    [InlineData("failed", "active", "revert-refused", "failed to disable module lp_one: lp_one: active (revert-refused): ")]
    [InlineData("held", "active", "load-too-high", "failed to disable module lp_one: lp_one: active (load-too-high): ")]
    [InlineData("reversed", "active", "transition-stalled", "transition stalled for lp_one: lp_one: active (transition-stalled): the transition did not complete")]
    [InlineData("cancelled", "active", "", "failed to disable module lp_one: lp_one: active: the job was cancelled")]
    public void A_module_that_stays_is_1_and_one_line(string result, string state, string reason, string line)
    {
        using var root = new KpatchRoot(Bus.Address);
        Serve(new FakePatch { Name = "lp_one" }).OnJob = (d, job) => d.Finish(job, result, state, reason);
        var run = root.Kpatch("unload", "lp_one").Failed(1, $"kpatch: {line}");
        Assert.Equal("disabling patch module: lp_one\n", run.Output);
    }

    [Fact]
    public void A_foreign_patch_is_refused_with_what_to_do()
    {
        using var root = new KpatchRoot(Bus.Address);
        Serve(new FakePatch { Name = "lp_one", State = "foreign" }).Refusal = ("NameConflict", "loaded-by-hand: lp_one was not loaded by livepatchd, which does not touch it");
        root.Kpatch("unload", "lp_one").Failed(1, "kpatch: failed to disable module lp_one: loaded-by-hand: ", "; Put the same build into the directory to hand it over\n");
    }

    [Fact]
    public void All_go_from_the_top_of_the_stack_and_nothing_comes_in_meanwhile()
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve(
            new FakePatch { Name = "lp_a", StackOrder = 1 },
            new FakePatch { Name = "lp_b", StackOrder = 3, State = "soaking" },
            new FakePatch { Name = "lp_c", StackOrder = 2 },
            new FakePatch { Name = "lp_d", State = "superseded" },
            new FakePatch { Name = "lp_e", State = "rejected" });
        var run = root.Kpatch("unload", "--all").Succeeded();
        Assert.Equal(["revert lp_d", "revert lp_b", "revert lp_c", "revert lp_a"], daemon.Asked);
        Assert.Equal(
            ["disabling patch module: lp_b", "unloading patch module: lp_b", "disabling patch module: lp_c", "unloading patch module: lp_c", "disabling patch module: lp_a", "unloading patch module: lp_a"],
            run.Lines);
    }

    [Fact]
    public void All_is_1_and_names_what_is_left()
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve(
            new FakePatch { Name = "lp_a" }, new FakePatch { Name = "lp_b" },
            new FakePatch { Name = "lp_held", State = "held", Reason = "name-in-use", Objects = InKernel });
        daemon.OnJob = static (d, job) => d.Finish(job, job.Patch == "lp_a" ? "done" : "failed", job.Patch == "lp_a" ? "reverted" : job.Patch == "lp_b" ? "active" : "held");
        var run = root.Kpatch("unload", "--all");
        Assert.Equal(1, run.ExitCode);
        var errors = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["kpatch: failed to unload module lp_b", "kpatch: failed to unload module lp_held"], errors[2..]);
        Assert.StartsWith("kpatch: failed to disable module lp_b: ", errors[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_loaded_is_nothing_to_do()
    {
        using var root = new KpatchRoot(Bus.Address);
        Serve();
        var run = root.Kpatch("unload", "--all");
        Assert.Equal((0, "", ""), (run.ExitCode, run.Output, run.Error));
    }
}
