// The shim's command line: usage to the letter, the version, and verbs that are none.
namespace LivePatchd.Ctl.Tests;

public sealed class KpatchUsageTests
{
    private static readonly string Usage =
        $"""
        usage: kpatch <command> [<args>]

        Valid commands:
           install [-k|--kernel-version=<kernel version>] <module>
              install patch module to be loaded at boot
           uninstall [-k|--kernel-version=<kernel version>] <module>
              uninstall patch module

           {"load --all",-20}
              load all installed patch modules into the running kernel
           {"load <module>",-20}
              load patch module into the running kernel
           {"unload --all",-20}
              unload all patch modules from the running kernel
           {"unload <module>",-20}
              unload patch module from the running kernel

           {"info <module>",-20}
              show information about a patch module

           {"list",-20}
              list installed patch modules. If the system supports the livepatch
              'stack_order' sysfs attribute, provide the list of currently livepatched
              functions

           {"signal",-20}
              signal/poke any process stalling the current patch transition. This is
              only useful on systems that have the sysfs livepatch signal interface. On
              other systems, the signaling should be done automatically by the OS
              and this subcommand is a no-op.

           {"version",-20}
              display the kpatch version

        """;

    [Theory]
    [InlineData]
    [InlineData("help")]
    [InlineData("-h")]
    [InlineData("--help")]
    [InlineData("help", "load")]
    [InlineData("load")]
    [InlineData("load", "one", "two")]
    [InlineData("load", "--all", "two")]
    [InlineData("unload")]
    [InlineData("unload", "one", "two")]
    [InlineData("list", "one")]
    [InlineData("info")]
    [InlineData("info", "one", "two")]
    [InlineData("signal", "one")]
    public void What_is_no_call_is_answered_with_the_usage_and_1(params string[] arguments)
    {
        using var root = new KpatchRoot();
        var run = root.Kpatch(arguments);
        Assert.Equal((1, "", Usage), (run.ExitCode, run.Output, run.Error));
    }

    [Theory]
    [InlineData("force")]
    [InlineData("--all")]
    [InlineData("status")]
    [InlineData("")]
    public void A_verb_that_is_none_is_named_first(string verb)
    {
        using var root = new KpatchRoot();
        var run = root.Kpatch(verb, "x");
        Assert.Equal((1, $"subcommand {verb} not recognized\n", Usage), (run.ExitCode, run.Output, run.Error));
    }

    [Theory]
    [InlineData("version")]
    [InlineData("-v")]
    [InlineData("--version")]
    public void The_version_is_that_of_the_utility(string verb)
    {
        using var root = new KpatchRoot();
        var run = root.Kpatch(verb);
        Assert.Equal((0, "0.9.11\n", ""), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public void The_help_of_livepatchctl_does_not_show_it() =>
        Assert.DoesNotContain("kpatch", Ctl.Run(KpatchRoot.NoBus, "--help").Succeeded().Output, StringComparison.Ordinal);

    [Fact]
    public void Without_a_kernel_release_nothing_is_done()
    {
        using var root = new KpatchRoot();
        File.Delete(root.On("/proc/sys/kernel/osrelease"));
        root.Kpatch("install", root.Module()).Failed(1, "kpatch: /proc/sys/kernel/osrelease cannot be read\n");
        Assert.False(Directory.Exists(root.On("/var/lib/kpatch")));
    }
}
