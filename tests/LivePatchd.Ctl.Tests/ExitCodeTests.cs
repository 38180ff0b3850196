// Every exit code of the contract, from the real process.
using LivePatchd.Bus;

namespace LivePatchd.Ctl.Tests;

public sealed class ExitCodeTests : CtlTest
{
    [Theory]
    [InlineData("done", "active", "", 0)]
    [InlineData("done", "soaking", "", 0)]
    [InlineData("failed", "held", "kernel-refused", 1)]
    [InlineData("held", "held", "observe-mode", 3)]
    [InlineData("held", "superseded", "replaced-by-newer", 3)]
    [InlineData("cancelled", "reverted", "reverted-by-operator", 3)]
    [InlineData("reversed", "held", "transition-overdue", 5)]
    [InlineData("rejected", "rejected", "wrong-kernel", 6)]
    [InlineData("held", "held", "ftrace-disabled", 75)]
    public void The_end_of_an_apply_is_an_exit_code(string result, string state, string reason, int expected)
    {
        Serve(new FakePatch { Name = "lp_x", State = "staged" }).OnJob = (d, job) => d.Finish(job, result, state, reason);
        var run = Run("apply", "lp_x");
        Assert.Equal(expected, run.ExitCode);
        var line = expected == 0 ? run.Output : run.Error;
        Assert.StartsWith(expected == 0 ? $"lp_x: {state}\n" : $"lp_x: {state} ({reason}): ", line, StringComparison.Ordinal);
        Assert.Single(line.TrimEnd('\n').Split('\n'));
        Assert.Equal("", expected == 0 ? run.Error : run.Output);
    }

    [Theory]
    [InlineData("done", "reverted", 0)]
    [InlineData("failed", "active", 1)]
    [InlineData("cancelled", "active", 1)]
    [InlineData("held", "held", 75)]
    public void The_end_of_a_revert_is_an_exit_code(string result, string state, int expected)
    {
        Serve(new FakePatch { Name = "lp_x" }).OnJob = (d, job) => d.Finish(job, result, state);
        Assert.Equal(expected, Run("revert", "lp_x").ExitCode);
    }

    [Theory]
    [InlineData("NotAuthorized", 77, "); try sudo")]
    [InlineData("org.freedesktop.DBus.Error.AccessDenied", 77, "not authorised; try sudo")]
    [InlineData("Held", 75, "; ")]
    [InlineData("Stalled", 5, "; livepatchctl status")]
    [InlineData("Quarantined", 6, "; ")]
    [InlineData("WrongKernel", 6, "; install the build for the running kernel")]
    [InlineData("BadSignature", 6, "; sign the module")]
    [InlineData("NameConflict", 1, "; livepatchctl list")]
    [InlineData("Busy", 75, "; try again later")]
    [InlineData("NoSuchPatch", 4, "no such patch; livepatchctl list")]
    [InlineData("InvalidArgument", 2, "; livepatchctl show lp_x")]
    [InlineData("org.freedesktop.DBus.Error.InvalidArgs", 2, "; livepatchctl --help")]
    [InlineData("LimitsExceeded", 75, "; try again later")]
    [InlineData("org.freedesktop.DBus.Error.Failed", 1, "; livepatchctl status")]
    [InlineData("SomethingNew", 1, "; livepatchctl status")]
    public void An_error_of_the_daemon_is_an_exit_code_and_one_line(string error, int expected, string part)
    {
        Serve(new FakePatch { Name = "lp_x" }).Refusal = (error, "because\nof \e[31mthis");
        Run("apply", "lp_x").Failed(expected, "livepatchctl: apply lp_x: ", part);
    }

    [Fact]
    public void The_next_step_names_the_patch()
    {
        Serve(new FakePatch { Name = "lp_x" }).Refusal = ("Quarantined", "kernel-oops: lp_x is under quarantine; release it first");
        var failed = Run("apply", "lp_x").Failed(6, "livepatchctl release lp_x");
        Assert.DoesNotContain("NAME", failed.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("held", "held", "ftrace-disabled", "kernel.ftrace_enabled is 0, and livepatch works through ftrace (EBUSY); next: sysctl kernel.ftrace_enabled=1")]
    [InlineData("rejected", "rejected", "malformed-module", "The ELF file lacks .modinfo or the module structure, or they make no sense (EBUSY); next: Build the module again; `livepatchctl show lp_x` tells which part is missing")]
    [InlineData("reversed", "held", "transition-overdue", "the transition did not complete and was reversed; next: `livepatchctl blocking` names the tasks, their units and the functions they are in")]
    [InlineData("cancelled", "reverted", "reverted-by-operator", "the job was cancelled by an opposite request; next: livepatchctl status")]
    [InlineData("failed", "held", "of-tomorrow", "it is not clear why (EBUSY); next: livepatchctl show lp_x")]
    public void A_setback_is_told_with_why_and_next(string result, string state, string reason, string rest)
    {
        Serve(new FakePatch { Name = "lp_x", State = "staged", LastError = "EBUSY" }).OnJob = (d, job) => d.Finish(job, result, state, reason);
        Assert.Equal($"lp_x: {state} ({reason}): {rest}\n", Run("apply", "lp_x").Error);
    }

    [Fact]
    public void A_success_is_told_in_two_words()
    {
        Serve(new FakePatch { Name = "lp_x" }).OnJob = static (d, job) => d.Finish(job, "done", "reverted", "reverted-by-operator");
        Assert.Equal("lp_x: reverted\n", Run("revert", "lp_x").Succeeded().Output);
    }

    [Fact]
    public void An_error_that_names_a_reason_brings_its_sentence_and_next_step()
    {
        Serve(new FakePatch { Name = "lp_x" }).Refusal = ("Held", "ftrace-disabled");
        Run("apply", "lp_x").Failed(75, "ftrace-disabled (kernel.ftrace_enabled is 0", "; sysctl kernel.ftrace_enabled=1\n");
    }

    [Fact]
    public void A_patch_nobody_knows_is_4()
    {
        Serve();
        foreach (var verb in (string[])["show", "apply", "revert", "unstage"])
            Run(verb, "lp-none").Failed(4, $"livepatchctl: {verb} lp-none: no such patch; livepatchctl list shows those there are");
    }

    [Fact]
    public void No_daemon_is_69()
    {
        string[][] commandLines = [["status"], ["list"], ["show", "lp_x"], ["plan"], ["apply", "lp_x"], ["revert", "lp_x"], ["unstage", "lp_x"], ["watch"], ["check"], ["reload"]];
        foreach (var commandLine in commandLines)
            Run(commandLine).Failed(69, $"livepatchctl: {string.Join(' ', commandLine)}: livepatchd is not running; systemctl start livepatchd");
    }

    [Fact]
    public void No_bus_is_69()
    {
        Bus.Kill();
        Run("status").Failed(69, "livepatchctl: status: the message bus cannot be reached", "; systemctl status dbus");
    }

    [Theory]
    [InlineData("which command?")]
    [InlineData("unknown command 'frobnicate'", "frobnicate")]
    [InlineData("unknown command '/h'", "/h")]
    [InlineData("unknown command '/?'", "/?")]
    [InlineData("unknown command '@file'", "@file")]
    [InlineData("--frobnicate", "list", "--frobnicate")]
    [InlineData("'more' does not belong here", "show", "one", "more")]
    [InlineData("livepatchctl: show: ", "show")]
    [InlineData("'soon' is not a time", "apply", "lp_x", "--timeout", "soon")]
    [InlineData("--no-wait excludes", "apply", "lp_x", "--no-wait", "--timeout", "5s")]
    [InlineData("--no-wait excludes", "revert", "lp_x", "--no-wait", "--wait")]
    [InlineData("does not belong", "apply", "lp_x", "--json")]
    [InlineData("'a?[31mb'", "show", "x", "a\e[31mb")]
    public void A_command_line_that_makes_no_sense_is_2(string part, params string[] arguments)
    {
        Serve();
        var run = Run(arguments).Failed(2, part, " --help\n");
        Assert.Equal("", run.Output);
    }

    [Theory]
    [InlineData(0, "running", "active")]
    [InlineData(0, "running", "reverted")]
    [InlineData(0, "observing", "foreign")]
    [InlineData(3, "running", "staged")]
    [InlineData(3, "running", "held")]
    [InlineData(3, "running", "stalled")]
    [InlineData(4, "unsupported", "active")]
    [InlineData(4, "running", "unsupported")]
    [InlineData(6, "running", "rejected")]
    [InlineData(6, "running", "quarantined")]
    public void Check_has_codes_of_its_own(int expected, string host, string state)
    {
        Serve(new FakePatch { Name = "lp_a", State = "active" }, new FakePatch { Name = "lp_b", State = state }).State = host;
        var run = Run("check");
        Assert.Equal((expected, ""), (run.ExitCode, run.Error));
        Assert.Equal(expected == 0 ? 0 : 1, run.Lines.Length);
    }

    [Fact]
    public void Check_names_the_worst_first()
    {
        Serve(
            new FakePatch { Name = "lp_a", State = "held", Reason = "ftrace-disabled" },
            new FakePatch { Name = "lp_b", State = "rejected", Reason = "truncated-file" });
        Assert.Equal("refused: lp_b rejected (truncated-file)\n", Run("check").Output);
    }

    [Fact]
    public void A_refused_file_without_a_patch_is_not_overlooked()
    {
        Serve(new FakePatch { Name = "lp_a", File = "/p/lp_a.ko" }).RefusedFiles = [("/p/lp_a.ko", "unsafe-owner", ""), ("/p/my patch.ko", "bad-file-name", "a blank")];
        var check = Run("check");
        Assert.Equal((6, "refused: /p/my patch.ko (bad-file-name)\n"), (check.ExitCode, check.Output));
        var json = Run("check", "--json").Output;
        SchemaValidator.Validate("check.json", json);
        Assert.Contains("\"file\": \"/p/my patch.ko\"", json, StringComparison.Ordinal);
        Assert.DoesNotContain("lp_a.ko", json, StringComparison.Ordinal);
        Assert.Contains("   Not taken: /p/my patch.ko (bad-file-name)\n", Run("status").Succeeded().Output, StringComparison.Ordinal);
        SchemaValidator.Validate("status.json", Run("status", "--json").Succeeded().Output);
    }

    [Fact]
    public void A_reading_verb_that_gets_no_sense_is_1()
    {
        Serve().PlanText = """{"schema":2}""";
        Run("plan").Failed(1, "livepatchctl: plan: the daemon's plan is not of schema 1; ");
    }

    [Fact]
    public async Task An_output_that_cannot_be_written_is_not_a_crash()
    {
        Serve();
        var info = Ctl.Info(["sh", "-c", "\"$@\" > /dev/full", "sh", .. Ctl.CommandLine, "list"], Bus.Address);
        using var running = new RunningCtl(Ctl.Launch(info));
        (await running.End()).Failed(1, "livepatchctl: output: ");
    }
}
