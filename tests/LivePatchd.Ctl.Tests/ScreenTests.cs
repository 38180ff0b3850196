// On a terminal of 80x24 in tmux: no table is wrapped by the terminal, and no escape is left on the screen.
namespace LivePatchd.Ctl.Tests;

public sealed class ScreenTests : CtlTest
{
    private static readonly DateTimeOffset Then = new(2026, 3, 1, 12, 0, 1, TimeSpan.Zero);

    [Theory]
    [InlineData("lp_x", "list")]
    [InlineData("State: observing", "status")]
    [InlineData("io-pressure", "gates")]
    [InlineData("held: lp_b (ftrace-conflict)", "plan")]
    [InlineData("Functions: vmlinux:cmdline_proc_show", "show", "lp_full")]
    [InlineData("CVE-2026-1234: fixed by lp_x", "check", "--cve", "CVE-2026-1234", "CVE-2026-2000", "CVE-2026-9999")]
    [InlineData("6.12.0-13-amd64 (running)", "readiness", "--root", "ROOT")]
    [InlineData("livepatchctl [command] [options]", "--help")]
    public async Task Nothing_is_wrapped_by_the_terminal(string seen, params string[] arguments)
    {
        Assert.SkipUnless(Tmux.IsThere, "tmux is not installed");
        var daemon = Serve(Patches());
        (daemon.State, daemon.Reason, daemon.Mode) = ("observing", "disabled", "observe");
        daemon.Holds = [(LongName, "transition-in-progress", Then), ("lp_b", "ftrace-conflict", null)];
        daemon.RefusedFiles = [("/var/lib/livepatchd/patches/" + FakeDaemon.Kernel + "/my patch.ko", "bad-file-name", "a blank")];
        daemon.ConfigErrors = ["/etc/livepatchd/livepatchd.yaml:3: mode: must be apply or observe"];
        daemon.PlanText = $$"""
            {"schema":1,"steps":[{"action":"load","patch":"{{LongName}}","sha256":"{{Digest}}","reason":null}],"holds":[{"patch":"lp_b","reason":"ftrace-conflict","retry_at":null}],"patches":[
            {"patch":"lp_b","file":"/p/lp_b.ko","sha256":null,"outcome":"held","reason":"ftrace-conflict","detail":"cmdline_proc_show of vmlinux is held by a kprobe","errno":"EBUSY","notes":[]}]}
            """;
        daemon.Show(
            new FakeGate { Name = "io-pressure", Open = false, Reason = "gate-io-pressure", Value = 0.312, CloseAt = 0.2, OpenBelow = 0.1, Unit = "ratio", Since = Then, Detail = "some tasks waited for io in 31.2% of the time" });
        var root = Root();
        using var tmux = new Tmux(Bus.Address);
        var screen = await tmux.Show([.. arguments.Select(a => a == "ROOT" ? root : a)]);
        Assert.Equal(screen.Lines, screen.Rows);
        Assert.Contains(screen.Rows, row => row.Contains(seen, StringComparison.Ordinal));
        Assert.DoesNotContain(screen.Rows, static row => row.Any(char.IsControl) || row.Contains("[0m", StringComparison.Ordinal));
        // The help of the library stands in full too.
        Assert.All(screen.Rows, static row => Assert.InRange(row.Length, 1, 80));
    }

    [Fact]
    public async Task A_line_that_is_too_long_is_seen_as_such()
    {
        Assert.SkipUnless(Tmux.IsThere, "tmux is not installed");
        Serve(new FakePatch { Name = "lp_x", Sha256 = Digest });
        using var tmux = new Tmux(Bus.Address);
        var wrapped = await tmux.Show("show", "lp_x", "--json");
        Assert.NotEqual(wrapped.Lines, wrapped.Rows);
    }

    private static FakePatch[] Patches()
    {
        var full = JsonTests.Full();
        full.StateSince = full.LoadedSince = Then;
        return
        [
            full,
            new FakePatch { Name = "lp_x", Version = "1.2", Cves = ["CVE-2026-1234"], Sha256 = Digest, Identity = "match", StateSince = Then, LoadedSince = Then },
            new FakePatch { Name = "lp_bad", State = "quarantined", Reason = "function-not-traceable", Cves = ["CVE-2026-2000"], Sha256 = Digest, StateSince = Then },
            new FakePatch { Name = LongName, State = "transitioning", Reason = "transition-in-progress", Sha256 = Digest, StateSince = Then },
        ];
    }

    private static string Root()
    {
        var root = Directory.CreateTempSubdirectory("livepatchctl-screen-").FullName;
        foreach (var release in (string[])[FakeDaemon.Kernel, "6.12.117+deb12-cloud-amd64", "6.12.0-" + new string('9', 50)])
        {
            Directory.CreateDirectory($"{root}/lib/modules/{release}");
            File.WriteAllText($"{root}/lib/modules/{release}/modules.dep", "");
        }
        Directory.CreateDirectory($"{root}/var/lib/livepatchd/patches/{FakeDaemon.Kernel}");
        File.WriteAllText($"{root}/var/lib/livepatchd/patches/{FakeDaemon.Kernel}/{LongName}.ko", "nonsense");
        return root;
    }
}
