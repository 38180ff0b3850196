// `revert --all`: whom it asks for, in which order, and what it says is left.
namespace LivePatchd.Ctl.Tests;

public sealed class RevertAllTests : CtlTest
{
    private static readonly (string, string)[] InKernel = [("vmlinux", "yes")];

    [Fact]
    public void RevertAll_AsksForThoseThatWouldBeLoadedFirstThenFromTheTop()
    {
        var daemon = Serve(
            new FakePatch { Name = "lp_a", StackOrder = 1 },
            new FakePatch { Name = "lp_b", StackOrder = 2, State = "soaking" },
            new FakePatch { Name = "lp_c", State = "superseded" },
            new FakePatch { Name = "lp_d", State = "held", Reason = "io-pressure" },
            new FakePatch { Name = "lp_e", State = "foreign" },
            new FakePatch { Name = "lp_f", State = "reverted" });
        var run = Run("revert", "--all", "--override-gates").Succeeded();
        Assert.Equal([.. ((string[])["lp_c", "lp_d", "lp_b", "lp_a"]).Select(static n => $"revert {n} override-gates=True")], daemon.Asked);
        Assert.Equal(["lp_c: reverted", "lp_d: reverted", "lp_b: reverted", "lp_a: reverted", "none of livepatchd's patches is in force", "not loaded by livepatchd, and left alone: lp_e"], run.Lines);
    }

    [Fact]
    public void RevertAll_MoreThanOneUserMayHaveOpen_AllAreOut()
    {
        var daemon = Serve([.. Enumerable.Range(0, 40).Select(static i => new FakePatch { Name = $"lp_{i:00}", StackOrder = i })]);
        Assert.Equal(41, Run("revert", "--all").Succeeded().Lines.Length);
        Assert.Equal([.. Enumerable.Range(0, 40).Select(static i => $"revert lp_{39 - i:00}")], daemon.Asked);
    }

    [Fact]
    public void RevertAll_OneStays_TheOthersGoAndItIsNamed()
    {
        var daemon = Serve(new FakePatch { Name = "lp_a", StackOrder = 2 }, new FakePatch { Name = "lp_b", StackOrder = 1 }, new FakePatch { Name = "lp_forced", State = "forced" });
        daemon.OnJob = static (d, job) => d.Finish(job, job.Patch == "lp_forced" ? "failed" : "done", job.Patch == "lp_forced" ? "forced" : "reverted", job.Patch == "lp_forced" ? "forced-until-reboot" : "");
        var run = Run("revert", "--all");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(["lp_a: reverted", "lp_b: reverted", "still in the kernel: lp_forced (forced)"], run.Lines);
        Assert.Contains("lp_forced: forced (forced-until-reboot)", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void RevertAll_TheDaemonChangesNothing_IsSaidOnce()
    {
        var daemon = Serve(new FakePatch { Name = "lp_a" }, new FakePatch { Name = "lp_b" });
        daemon.Refusal = ("Held", "observe-mode: the configuration says mode: observe.");
        var run = Run("revert", "--all");
        Assert.Equal(75, run.ExitCode);
        Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["still in the kernel: lp_a (active), lp_b (active)"], run.Lines);
    }

    [Fact]
    public void RevertAll_NothingThere_SaysSo()
    {
        var daemon = Serve(new FakePatch { Name = "lp_held", State = "unsupported", Objects = [] });
        Assert.Equal("none of livepatchd's patches is in force\n", Run("revert", "--all").Succeeded().Output);
        Assert.Empty(daemon.Asked);
    }

    [Fact]
    public void RevertAll_NoWait_ReturnsWithTheJobs()
    {
        var daemon = Serve(new FakePatch { Name = "lp_a" }, new FakePatch { Name = "lp_b", State = "held", Objects = InKernel });
        daemon.OnJob = static (_, _) => { };
        Assert.Equal(2, Run("revert", "--all", "--no-wait").Succeeded().Lines.Length);
        Assert.Equal(2, daemon.Asked.Count);
    }

    [Theory]
    [InlineData("revert: NAME is missing", "revert")]
    [InlineData("--all excludes NAME", "revert", "--all", "lp_a")]
    public void Revert_NeitherNameNorAllOrBoth_IsAnErrorOfUsage(string why, params string[] words) => Run(words).Failed(2, why);
}
