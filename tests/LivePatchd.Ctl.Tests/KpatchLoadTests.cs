// `kpatch load`: what is handed over, what is asked for, what is said, and that no bad file stops a good one.
using LivePatchd.Bus.Tests;

namespace LivePatchd.Ctl.Tests;

public sealed class KpatchLoadTests : CtlTest
{
    private const string Copy = $"/var/lib/livepatchd/patches/{FakeDaemon.Kernel}/lp-first-name.ko";

    [Fact]
    public void A_file_from_anywhere_is_handed_over_and_applied()
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve();
        var module = root.Module();
        var run = root.Kpatch("load", module);
        Assert.Equal((0, $"loading patch module: {module}\n", ""), (run.ExitCode, run.Output, run.Error));
        // By the module's name: two files of one module would be two wishes.
        Assert.Equal("lp_one.ko", Assert.Single(daemon.Staged).FileName);
        Assert.Equal(["apply lp_one"], daemon.Asked);
    }

    [Theory]
    [InlineData("lp_one")]
    [InlineData("lp-one")]
    [InlineData("lp-one.ko")]
    public void An_installed_file_is_only_asked_for_where_its_directory_is_watched(string argument)
    {
        using var root = new KpatchRoot(Bus.Address);
        var module = root.Installed();
        var daemon = Serve(new FakePatch { Name = "lp_one", State = "reverted", Sha256 = Digest, File = $"{KpatchRoot.InstallDirectory}/lp-one.ko" });
        var run = root.Kpatch("load", argument);
        Assert.Equal((0, $"loading patch module: {module}\n", ""), (run.ExitCode, run.Output, run.Error));
        Assert.Equal(["apply lp_one"], daemon.Asked);
        Assert.Empty(daemon.Staged);
    }

    [Fact]
    public void An_installed_file_is_handed_over_where_its_directory_is_not_watched()
    {
        using var root = new KpatchRoot(Bus.Address);
        root.Installed();
        var daemon = Serve();
        root.Kpatch("load", "lp_one").Succeeded();
        Assert.Equal(["apply lp_one", "apply lp_one"], daemon.Asked);
        Assert.Equal("lp_one.ko", Assert.Single(daemon.Staged).FileName);
    }

    [Fact]
    public void Another_build_takes_the_place_of_the_daemons_copy()
    {
        using var root = new KpatchRoot(Bus.Address);
        root.Installed();
        var daemon = Serve(new FakePatch { Name = "lp_first_name", State = "active" }, new FakePatch { Name = "lp_one", State = "active", Sha256 = Digest, File = Copy });
        root.Kpatch("load", "lp_one").Succeeded();
        Assert.Equal("lp-first-name.ko", Assert.Single(daemon.Staged).FileName);
    }

    [Theory]
    [InlineData("active")]
    [InlineData("soaking")]
    [InlineData("forced")]
    public void What_is_loaded_is_not_asked_for_again(string state)
    {
        using var root = new KpatchRoot(Bus.Address);
        var module = root.Installed();
        var daemon = Serve(new FakePatch { Name = "lp_one", State = state, Sha256 = KpatchRoot.Digest(module), File = Copy });
        foreach (var argument in (string[])["lp_one", "--all", module])
            Assert.Equal("module named lp_one already loaded and enabled\n", root.Kpatch("load", argument).Succeeded().Output);
        Assert.Empty(daemon.Asked);
    }

    [Fact]
    public void A_foreign_patch_is_handed_over_for_adoption()
    {
        using var root = new KpatchRoot(Bus.Address);
        root.Installed();
        var daemon = Serve(new FakePatch { Name = "lp_one", State = "foreign" });
        root.Kpatch("load", "--all").Succeeded();
        Assert.Single(daemon.Staged);
        // A service of the boot asks, and not a person.
        Assert.Equal(["apply lp_one wait-for-boot=True"], daemon.Asked);
    }

    [Fact]
    public void A_patch_that_only_the_daemon_has_is_asked_for_by_name()
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve(new FakePatch { Name = "lp_one", State = "reverted" });
        Assert.Equal("loading patch module: lp_one\n", root.Kpatch("load", "lp-one").Succeeded().Output);
        Assert.Equal(["apply lp_one"], daemon.Asked);
        root.Kpatch("load", "lp_two").Failed(1, "kpatch: can't find lp_two\n");
    }

    [Theory]
    [InlineData("nope.ko")]
    [InlineData("/nowhere/nope.ko")]
    [InlineData("no/name")]
    [InlineData("a b")]
    public void What_is_nowhere_is_said_without_a_daemon(string argument)
    {
        using var root = new KpatchRoot();
        root.Kpatch("load", argument).Failed(1, $"kpatch: can't find {argument}\n");
    }

    [Theory]
    [InlineData("held", "held", "ftrace-disabled", "failed to load module FILE: lp_one: held (ftrace-disabled): kernel.ftrace_enabled is 0, and livepatch works through ftrace; next: sysctl kernel.ftrace_enabled=1\n")]
    [InlineData("held", "held", "load-too-high", "failed to load module FILE: lp_one: held (load-too-high): ")]
    [InlineData("held", "held", "boot-not-complete", "failed to load module FILE: lp_one: held (boot-not-complete): ")]
    [InlineData("held", "superseded", "replaced-by-newer", "failed to load module FILE: lp_one: superseded (replaced-by-newer): ")]
    [InlineData("rejected", "rejected", "malformed-module", "failed to load module FILE: lp_one: rejected (malformed-module): ")]
    [InlineData("failed", "held", "kernel-refused", "failed to load module FILE: lp_one: held (kernel-refused): ")]
    [InlineData("cancelled", "reverted", "reverted-by-operator", "failed to load module FILE: lp_one: reverted (reverted-by-operator): the job was cancelled ")]
    [InlineData("reversed", "held", "transition-stalled", "error: failed to load module lp_one (transition stalled): lp_one: held (transition-stalled): the transition did not complete and was reversed; next: ")]
    public void Any_bad_end_is_1_and_one_line_with_why_and_next(string result, string state, string reason, string line)
    {
        using var root = new KpatchRoot(Bus.Address);
        var module = root.Module();
        Serve().OnJob = (d, job) => d.Finish(job, result, state, reason);
        root.Kpatch("load", module).Failed(1, $"kpatch: {line.Replace("FILE", module, StringComparison.Ordinal)}");
    }

    [Theory]
    [InlineData("NotAuthorized", "try sudo")]
    [InlineData("Quarantined", "livepatchctl list")]
    [InlineData("WrongKernel", "install the build for the running kernel")]
    [InlineData("InvalidArgument", "check that it is a livepatch module for this kernel")]
    [InlineData("LimitsExceeded", "try again later")]
    [InlineData("org.freedesktop.DBus.Error.Failed", "livepatchctl status")]
    public void An_error_of_the_daemon_is_1_and_one_line(string error, string next)
    {
        using var root = new KpatchRoot(Bus.Address);
        var module = root.Module();
        Serve().Refusal = (error, "because\nof \e[31mthis");
        root.Kpatch("load", module).Failed(1, $"kpatch: failed to load module {module}: ", $"; {next}\n");
    }

    [Fact]
    public void Without_a_daemon_every_verb_that_needs_one_says_so_and_is_1()
    {
        using var root = new KpatchRoot(Bus.Address);
        root.Installed();
        string[][] commandLines = [["load", "--all"], ["load", "lp_one"], ["load", "lp-one.ko"], ["unload", "--all"], ["unload", "lp_one"], ["list"], ["signal"]];
        foreach (var commandLine in commandLines)
            root.Kpatch(commandLine).Failed(1, "kpatch: ", "livepatchd is not running; systemctl start livepatchd\n");
    }

    [Fact]
    public void A_file_that_is_no_module_does_not_get_as_far_as_the_daemon()
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve();
        var text = root.Write("/tmp/text.ko", "hello"u8.ToArray());
        root.Kpatch("load", text).Failed(1, $"kpatch: failed to load module {text}: not-an-elf-file: ");
        Assert.Empty(daemon.Asked);
        Assert.Empty(daemon.Staged);
    }

    [Fact]
    public void A_compressed_file_keeps_its_ending()
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve();
        root.Kpatch("load", root.Write("/tmp/lp-one.ko.xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1])).Succeeded();
        Assert.Equal("lp_one.ko.xz", Assert.Single(daemon.Staged).FileName);
    }

    [Fact]
    public void All_are_tried_and_one_bad_file_makes_it_1()
    {
        using var root = new KpatchRoot(Bus.Address);
        var bad = root.Write(KpatchRoot.InstallDirectory + "/lp_a.ko", "hello"u8.ToArray());
        root.Installed("lp_b.ko", "lp_b");
        var refused = root.Installed("lp_c.ko", "lp_c");
        root.Installed("lp_d.ko", "lp_d");
        root.Write(KpatchRoot.InstallDirectory + "/.lp_e.ko", KpatchRoot.Image("lp_e"));
        root.Write(KpatchRoot.InstallDirectory + "/readme", []);
        var daemon = Serve();
        daemon.OnJob = static (d, job) => d.Finish(job, job.Patch == "lp_c" ? "rejected" : "done", job.Patch == "lp_c" ? "rejected" : "active", job.Patch == "lp_c" ? "unknown-symbol" : "");
        var run = root.Kpatch("load", "--all");
        Assert.Equal(1, run.ExitCode);
        var errors = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, errors.Length);
        Assert.StartsWith($"kpatch: failed to load module {bad}: not-an-elf-file: ", errors[0], StringComparison.Ordinal);
        Assert.StartsWith($"kpatch: failed to load module {refused}: lp_c: rejected (unknown-symbol): ", errors[1], StringComparison.Ordinal);
        Assert.Equal(["lp_b.ko", "lp_c.ko", "lp_d.ko"], daemon.Staged.Select(static s => s.FileName).Order());
    }

    [Fact]
    public void More_than_are_asked_for_at_once_are_all_loaded()
    {
        using var root = new KpatchRoot(Bus.Address);
        var names = Enumerable.Range(10, 20).Select(static i => $"lp_{i}").ToList();
        names.ForEach(n => root.Installed(n + ".ko", n));
        var daemon = Serve();
        root.Kpatch("load", "--all").Succeeded();
        Assert.Equal(names, daemon.Staged.Select(static s => s.FileName[..^3]));
    }

    [Fact]
    public void Nothing_installed_is_nothing_to_do()
    {
        using var root = new KpatchRoot();
        var run = root.Kpatch("load", "--all");
        Assert.Equal((0, "", ""), (run.ExitCode, run.Output, run.Error));
    }

    [Theory]
    [InlineData("superseded")]
    [InlineData("reverting")] // For the moment in which the replaced one is unloaded.
    public void All_leaves_out_what_a_newer_patch_replaces_and_what_waits_for_the_boot(string state)
    {
        using var root = new KpatchRoot(Bus.Address);
        var replaced = root.Installed("lp_a.ko", "lp_a");
        var late = root.Installed("lp_b.ko", "lp_b");
        var daemon = Serve(new FakePatch { Name = "lp_a", State = state, Reason = "replaced-by-newer", Sha256 = KpatchRoot.Digest(replaced), File = Copy });
        daemon.OnJob = static (d, job) => d.Finish(job, "held", "held", "boot-not-complete");
        var run = root.Kpatch("load", "--all");
        Assert.Equal(
            (0, $"module named lp_a is replaced by a newer one\nloading patch module: {late}\nmodule named lp_b is loaded by livepatchd when the boot is complete\n", ""),
            (run.ExitCode, run.Output, run.Error));
        Assert.DoesNotContain("apply lp_a", daemon.Asked);
    }

    [Fact]
    public async Task A_transition_that_takes_time_is_told()
    {
        using var root = new KpatchRoot(Bus.Address);
        FakeJob? job = null;
        var daemon = Serve();
        daemon.OnJob = (d, j) =>
        {
            d.Set(j.Patch, "transitioning");
            job = j;
        };
        using var ctl = root.Start("load", root.Module());
        await Eventually.Becomes(() => ctl.Lines.Contains("waiting for patch transition to complete..."));
        daemon.Finish(job!, "done", "active");
        var lines = (await ctl.End()).Succeeded().Lines;
        Assert.Equal(3, lines.Length);
        Assert.Matches(@"^transition complete \(\d+ seconds\)$", lines[2]);
    }
}
