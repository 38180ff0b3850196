// `confirm`, `release` and the options of an apply that concern trust: what they print, what they ask of the daemon.
using System.Globalization;

namespace LivePatchd.Ctl.Tests;

public sealed class TrustTests : CtlTest
{
    [Fact]
    public void Confirm_and_release_ask_for_one_patch_and_say_so()
    {
        var daemon = Serve(new FakePatch { Name = "lp_a", State = "soaking" });
        Assert.Equal("lp_a: confirmed\n", Run("confirm", "lp_a").Succeeded().Output);
        Assert.Equal("lp_a: out of quarantine\n", Run("release", "lp_a").Succeeded().Output);
        Assert.Equal(["confirm lp_a", "release lp_a"], daemon.Asked);
        daemon.Refusal = ("InvalidArgument", "lp_a is not soaking, so there is nothing to confirm");
        Run("confirm", "lp_a").Failed(2, "livepatchctl: confirm lp_a: ", "nothing to confirm");
    }

    [Fact]
    public void Release_SeveralNames_AsksForEachAndGoesOnPastARefusal()
    {
        var daemon = Serve(new FakePatch { Name = "lp_a", State = "quarantined" }, new FakePatch { Name = "lp_b", State = "quarantined" });
        Assert.Equal("lp_a: out of quarantine\nlp_b: out of quarantine\n", Run("release", "lp_a", "lp-b", "lp_a").Succeeded().Output);
        Assert.Equal(["release lp_a", "release lp_b"], daemon.Asked);
        daemon.Refusal = ("InvalidArgument", "it is not under quarantine");
        var refused = Run("release", "lp_a", "lp_b");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("release lp_a: ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("release lp_b: ", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Release_All_AreThoseThatAreQuarantinedOrSuspected()
    {
        var daemon = Serve(
            new FakePatch { Name = "lp_a", State = "quarantined", Reason = "kernel-oops" },
            new FakePatch { Name = "lp_b", State = "held", Reason = "suspected" },
            new FakePatch { Name = "lp_c", State = "held", Reason = "io-pressure" },
            new FakePatch { Name = "lp_d", State = "active" });
        Assert.Equal("lp_a: out of quarantine\nlp_b: out of quarantine\n", Run("release", "--all").Succeeded().Output);
        Assert.Equal(["release lp_a", "release lp_b"], daemon.Asked);
    }

    [Fact]
    public void Release_All_NothingToRelease_SaysSo()
    {
        var daemon = Serve(new FakePatch { Name = "lp_d", State = "active" });
        Assert.Equal("no patch is quarantined or suspected\n", Run("release", "--all").Succeeded().Output);
        Assert.Empty(daemon.Asked);
    }

    [Theory]
    [InlineData("release: NAME is missing", "release")]
    [InlineData("--all excludes NAME", "release", "--all", "lp_a")]
    public void Release_NeitherNameNorAllOrBoth_IsAnErrorOfUsage(string why, params string[] words) => Run(words).Failed(2, why);

    [Fact]
    public void An_apply_hands_over_its_confirmation_and_its_deadline()
    {
        var daemon = Serve(new FakePatch { Name = "lp_a" });
        daemon.OnJob = static (d, job) => d.Finish(job, "done", "active");
        var before = DateTimeOffset.UtcNow;
        Run("apply", "lp_a", "--confirm", "--deadline", "2h").Succeeded();
        var words = Assert.Single(daemon.Asked).Split(' ');
        Assert.Equal(["apply", "lp_a", "confirm=True"], words[..3]);
        Assert.StartsWith("deadline-usec=", words[3], StringComparison.Ordinal);
        var deadline = DateTimeOffset.UnixEpoch.AddMicroseconds(double.Parse(words[3].Split('=')[1], CultureInfo.InvariantCulture));
        Assert.InRange(deadline, before.AddHours(2).AddSeconds(-1), DateTimeOffset.UtcNow.AddHours(2).AddSeconds(1));
        Assert.Equal(2, Run("apply", "lp_a", "--deadline", "soon").ExitCode);
    }

    [Fact]
    public void What_soaks_says_until_when_everywhere()
    {
        var daemon = Serve(new FakePatch { Name = "lp_a", State = "soaking", SoakUntil = DateTimeOffset.UtcNow.AddMinutes(14) });
        daemon.OnJob = static (d, job) => d.Finish(job, "done", "soaking");
        Assert.StartsWith("lp_a: soaking until ", Run("apply", "lp_a").Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("Soak ends: ", Run("show", "lp_a").Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("Soaking: lp_a, until ", Run("status").Succeeded().Output, StringComparison.Ordinal);
        Assert.Matches("\"soak_until\": \"20", Run("list", "--json").Succeeded().Output);
    }

    [Fact]
    public void A_quarantine_shows_its_evidence_and_the_way_out()
    {
        Serve(new FakePatch { Name = "lp_a", State = "quarantined", Reason = "kernel-oops", Detail = "BUG: bad things; oops_count 0 -> 1" });
        var shown = Run("show", "lp_a").Succeeded().Output;
        Assert.Contains("Evidence: BUG: bad things; oops_count 0 -> 1", shown, StringComparison.Ordinal);
        Assert.Contains("livepatchctl release lp_a", shown, StringComparison.Ordinal);
        Assert.Contains("Quarantine: lp_a (kernel-oops): BUG: bad things", Run("status").Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(6, Run("check").ExitCode);
    }
}
