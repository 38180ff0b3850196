// `check --cve` and `check --vex`: what is said of a CVE, and that nothing is said which the daemon's facts do not prove.
using System.Text.Json;

namespace LivePatchd.Ctl.Tests;

public sealed class CveTests : CtlTest
{
    private const string Cve = "CVE-2026-1234";

    private static readonly DateTimeOffset Then = new(2026, 3, 1, 12, 0, 1, TimeSpan.Zero);

    [Fact]
    public void A_patch_in_force_fixes_what_its_manifest_names()
    {
        Serve(Fix("lp_x"));
        Assert.Equal($"{Cve}: fixed by lp_x 1.2 since 2026-03-01T13:00:01+01:00\n", Run("check", "--cve", Cve).Succeeded().Output);
        Run("check", "--cve", "cve-2026-1234").Succeeded();
    }

    [Fact]
    public void A_patch_on_probation_fixes_it_too_and_that_is_said()
    {
        var patch = Fix("lp_x");
        (patch.State, patch.SoakUntil) = ("soaking", Then + TimeSpan.FromMinutes(15));
        Serve(patch);
        Assert.Equal($"{Cve}: fixed by lp_x 1.2 since 2026-03-01T13:00:01+01:00, soaking until 2026-03-01T13:15:01+01:00\n", Run("check", "--cve", Cve).Succeeded().Output);
    }

    [Theory]
    [InlineData("held", "gate-load", 3, "not fixed: lp_x 1.2 is held (gate-load)")]
    [InlineData("staged", "", 3, "not fixed: lp_x 1.2 is staged")]
    [InlineData("transitioning", "", 3, "not fixed: lp_x 1.2 is transitioning")]
    [InlineData("stalled", "transition-overdue", 3, "not fixed: lp_x 1.2 is stalled (transition-overdue)")]
    [InlineData("reverting", "", 3, "not fixed: lp_x 1.2 is reverting")]
    [InlineData("reverted", "reverted-by-operator", 3, "not fixed: lp_x 1.2 is reverted (reverted-by-operator)")]
    [InlineData("quarantined", "kernel-oops", 6, "not fixed: lp_x 1.2 is quarantined (kernel-oops)")]
    [InlineData("rejected", "wrong-kernel", 6, "not fixed: lp_x 1.2 is rejected (wrong-kernel)")]
    [InlineData("unsupported", "livepatch-absent", 4, "not fixed: lp_x 1.2 is unsupported (livepatch-absent)")]
    [InlineData("superseded", "replaced-by-newer", 1, "unknown: lp_x 1.2 is superseded, and no patch in force names the CVE")]
    [InlineData("foreign", "loaded-by-hand", 1, "unknown: lp_x 1.2 was loaded by somebody else, so the manifest may not be its own")]
    [InlineData("forced", "forced-until-reboot", 1, "unknown: lp_x 1.2 was forced: tasks may still run the old code")]
    [InlineData("of-tomorrow", "", 1, "unknown: lp_x 1.2 is of-tomorrow, a state that this tool does not know")]
    public void What_is_not_in_force_fixes_nothing(string state, string reason, int exitCode, string text)
    {
        var patch = Fix("lp_x");
        (patch.State, patch.Reason) = (state, reason);
        Serve(patch);
        var run = Run("check", "--cve", Cve);
        Assert.Equal((exitCode, $"{Cve}: {text}\n", ""), (run.ExitCode, run.Output, run.Error));
    }

    [Theory]
    [InlineData("differs", "daemon")]
    [InlineData("unknown", "adopted")]
    public void A_manifest_speaks_for_no_other_bytes_than_its_own(string identity, string origin)
    {
        var patch = Fix("lp_x");
        (patch.Identity, patch.Origin) = (identity, origin);
        Serve(patch);
        var run = Run("check", "--cve", Cve);
        Assert.Equal((1, $"{Cve}: unknown: lp_x 1.2 is active, and what runs is not known to be the file\n"), (run.ExitCode, run.Output));
    }

    [Theory]
    [InlineData("not-patched", "active, and object virtio_blk is not patched (not-patched)")]
    [InlineData("never-matches", "active, and object virtio_blk is not patched (never-matches)")]
    public void APatch_WithoutEffectInAnObject_FixesNothing(string standing, string text)
    {
        var patch = Fix("lp_x");
        (patch.Objects, patch.ObjectStates) = ([("vmlinux", "yes"), ("virtio_blk", "no")], [("vmlinux", "patched"), ("virtio_blk", standing)]);
        patch.Reason = "object-not-patched";
        Serve(patch);
        var run = Run("check", "--cve", Cve);
        Assert.Equal((3, $"{Cve}: not fixed: lp_x 1.2 is {text}\n"), (run.ExitCode, run.Output));
        run = Run("check");
        Assert.Equal((3, "pending: lp_x active (object-not-patched): object virtio_blk is not patched (" + standing + ")\n"), (run.ExitCode, run.Output));
        run = Run("check", "--vex", "--cve", Cve);
        Assert.Contains("\"affected\"", run.Output, StringComparison.Ordinal);
        SchemaValidator.Validate("vex.json", run.Output);
    }

    [Fact]
    public void APatch_AttachedToNothing_FixesNothing()
    {
        var patch = Fix("lp_x");
        patch.Objects = [];
        Serve(patch);
        Assert.Equal((3, 3), (Run("check", "--cve", Cve).ExitCode, Run("check").ExitCode));
    }

    [Fact]
    public void APatch_OfAModuleThatIsNotLoaded_FixesItWhereItIsLoaded()
    {
        var patch = Fix("lp_x");
        (patch.Objects, patch.ObjectStates) = ([("nf_tables", "no"), ("vmlinux", "yes")], [("nf_tables", "not-loaded"), ("vmlinux", "patched")]);
        Serve(patch);
        Assert.Equal($"{Cve}: fixed where it is loaded by lp_x 1.2 since 2026-03-01T13:00:01+01:00; module nf_tables is not loaded\n", Run("check", "--cve", Cve).Succeeded().Output);
        Run("check").Succeeded();
        var run = Run("check", "--json", "--cve", Cve).Succeeded();
        SchemaValidator.Validate("check.json", run.Output);
        using var check = JsonDocument.Parse(run.Output);
        var answer = check.RootElement.GetProperty("cves")[0];
        Assert.Equal(("fixed-where-loaded", "nf_tables"), (answer.GetProperty("status").GetString(), answer.GetProperty("not_loaded")[0].GetString()));
        run = Run("check", "--vex", "--cve", Cve).Succeeded();
        SchemaValidator.Validate("vex.json", run.Output);
        Assert.Contains("Fixed where it is loaded: module nf_tables is not loaded", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Active_without_a_moment_of_the_proof_is_no_proof()
    {
        var patch = Fix("lp_x");
        patch.LoadedSince = null;
        Serve(patch);
        Assert.Equal(1, Run("check", "--cve", Cve).ExitCode);
    }

    [Fact]
    public void What_nobody_names_is_not_known_and_refused_files_are_not_forgotten()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x" });
        var run = Run("check", "--cve", Cve);
        Assert.Equal((1, $"{Cve}: unknown: no patch here names it; this says nothing of the kernel's own fixes\n"), (run.ExitCode, run.Output));
        daemon.RefusedFiles = [("/p/lp_y.ko", "unsafe-owner", "")];
        Assert.Contains("(1 refused file is not counted)", Run("check", "--cve", Cve).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_successor_counts_only_if_its_own_manifest_names_it()
    {
        var old = Fix("lp_old");
        (old.State, old.Reason) = ("superseded", "replaced-by-newer");
        var successor = new FakePatch { Name = "lp_new", Version = "2", LoadedSince = Then };
        Serve(old, successor);
        Assert.Equal(1, Run("check", "--cve", Cve).ExitCode);
        successor.Cves = [Cve];
        Assert.StartsWith($"{Cve}: fixed by lp_new 2 since ", Run("check", "--cve", Cve).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_several_the_worst_is_the_exit_code_and_each_has_its_line()
    {
        var held = Fix("lp_held", "CVE-2026-2000");
        (held.State, held.Reason) = ("held", "gate-load");
        var refused = Fix("lp_bad", "CVE-2026-3000");
        (refused.State, refused.Reason) = ("quarantined", "kernel-oops");
        Serve(Fix("lp_x"), held, refused);
        Assert.Equal(3, Run("check", "--cve", Cve, "CVE-2026-2000").ExitCode);
        Assert.Equal(3, Run("check", "--cve", Cve, "--cve", "CVE-2026-2000", "--cve", "CVE-2026-9999").ExitCode);
        var all = Run("check", "--cve", Cve, "CVE-2026-2000", "CVE-2026-3000", Cve);
        Assert.Equal((6, 3), (all.ExitCode, all.Lines.Length));
    }

    [Fact]
    public void The_same_in_json()
    {
        var held = Fix("lp_held", "CVE-2026-2000");
        (held.State, held.Reason) = ("held", "gate-load");
        Serve(Fix("lp_x"), held);
        var run = Run("check", "--json", "--cve", Cve, "CVE-2026-2000", "CVE-2026-9999");
        Assert.Equal(3, run.ExitCode);
        SchemaValidator.Validate("check.json", run.Output);
        using var check = JsonDocument.Parse(run.Output);
        Assert.Equal(("pending", FakeDaemon.Kernel), (check.RootElement.GetProperty("result").GetString(), check.RootElement.GetProperty("kernel_release").GetString()));
        Assert.Equal(["fixed", "not-fixed", "unknown"], check.RootElement.GetProperty("cves").EnumerateArray().Select(static c => c.GetProperty("status").GetString()));
        Assert.Equal("2026-03-01T12:00:01.000000Z", check.RootElement.GetProperty("cves")[0].GetProperty("since").GetString());
        Assert.Equal(Digest, check.RootElement.GetProperty("cves")[0].GetProperty("sha256").GetString());
        Assert.Equal(["lp_held"], check.RootElement.GetProperty("patches").EnumerateArray().Select(static p => p.GetProperty("name").GetString()));
    }

    [Fact]
    public void A_statement_names_the_kernel_the_patch_and_since_when()
    {
        var root = Root("6.12.0-13-amd64", "#1 SMP Debian 6.12-1 (2026-01-01)");
        var held = Fix("lp_held", "CVE-2026-2000");
        (held.State, held.Reason) = ("held", "ftrace-disabled");
        var stray = Fix("lp_stray", "CVE-2026-3000");
        (stray.State, stray.Reason, stray.KernelRelease) = ("rejected", "wrong-kernel", "6.1.0-1-amd64");
        Serve(Fix("lp_x"), held, stray);
        var run = Run("check", "--vex", "--author", "ops@example.org", "--root", root);
        Assert.Equal(6, run.ExitCode);
        SchemaValidator.Validate("vex.json", run.Output);
        using var vex = JsonDocument.Parse(run.Output);
        Assert.Equal("ops@example.org", vex.RootElement.GetProperty("author").GetString());
        var statements = vex.RootElement.GetProperty("statements").EnumerateArray().ToList();
        Assert.Equal(["fixed", "affected", "under_investigation"], statements.Select(static s => s.GetProperty("status").GetString()));
        Assert.Equal("2026-03-01T12:00:01.000000Z", statements[0].GetProperty("timestamp").GetString());
        Assert.EndsWith($" livepatch=lp_x version=1.2 sha256={Digest} build-id=0011", statements[0].GetProperty("status_notes").GetString(), StringComparison.Ordinal);
        Assert.Equal("sysctl kernel.ftrace_enabled=1", statements[1].GetProperty("action_statement").GetString()!.TrimEnd('.'));
        Assert.Equal(
            "pkg:generic/linux@6.12.0-13-amd64?uname-v=%231%20SMP%20Debian%206.12-1%20%282026-01-01%29",
            statements[0].GetProperty("products")[0].GetProperty("@id").GetString());
    }

    [Fact]
    public void Another_kernels_build_is_not_claimed()
    {
        Serve(Fix("lp_x"));
        var run = Run("check", "--vex", "--root", Root("6.1.0-other", "#2")).Succeeded();
        SchemaValidator.Validate("vex.json", run.Output);
        Assert.Contains("\"pkg:generic/linux@6.12.0-13-amd64\"", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_statement_about_a_cve_that_nobody_names_claims_nothing()
    {
        Serve();
        Run("check", "--vex").Failed(1, "check: no patch here names a CVE, so there is nothing to state; ");
        var run = Run("check", "--vex", "--cve", Cve);
        Assert.Equal(1, run.ExitCode);
        SchemaValidator.Validate("vex.json", run.Output);
        Assert.Contains("\"under_investigation\"", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'CVE-26-1' is not an identifier", "--cve", "CVE-26-1")]
    [InlineData("'x' is not an identifier", "--cve", "x")]
    [InlineData("--cve", "--cve")]
    [InlineData("--cve", "--vex", "--cve")]
    [InlineData("--cve", "--cve=")]
    [InlineData("--vex excludes --json", "--vex", "--json")]
    [InlineData("--author belongs to --vex", "--author", "me")]
    public void Questions_that_make_no_sense_are_2(string part, params string[] arguments)
    {
        Serve();
        Run(["check", .. arguments]).Failed(2, part);
    }

    [Fact]
    public void Without_the_daemon_nothing_is_said() =>
        Run("check", "--cve", Cve).Failed(69, "livepatchctl: check: livepatchd is not running; systemctl start livepatchd");

    private static FakePatch Fix(string name, string cve = Cve) => new()
    {
        Name = name,
        Version = "1.2",
        Cves = [cve],
        Sha256 = Digest,
        BuildId = "0011",
        Identity = "match",
        LoadedSince = Then,
    };

    private static string Root(string release, string build)
    {
        var root = Directory.CreateTempSubdirectory("livepatchctl-cve-").FullName;
        var kernel = Directory.CreateDirectory(Path.Combine(root, "proc/sys/kernel")).FullName;
        File.WriteAllText(Path.Combine(kernel, "osrelease"), release + "\n");
        File.WriteAllText(Path.Combine(kernel, "version"), build + "\n");
        File.WriteAllText(Path.Combine(kernel, "hostname"), "web1\n");
        return root;
    }
}
