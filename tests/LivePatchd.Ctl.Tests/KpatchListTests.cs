// `kpatch list`, `info` and `signal`: the text that other programs read, to the letter.
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.Ctl.Tests;

public sealed class KpatchListTests : CtlTest
{
    private static string Blocking(string patch, string direction) =>
        $$"""
        {"schema":1,"transition":{"patch":"{{patch}}","direction":"{{direction}}","since":"2026-01-01T12:00:00+00:00","age_seconds":25.3,"overdue":true},
        "seen_at":"2026-01-01T12:00:25+00:00","tasks_total":10,"tasks_switched":8,"pending":2,"unreadable":1,"token":"0123456789ab",
        "blockers":[
        {"pid":501,"tid":502,"comm":"cat","state":"D","unit":null,"uid":1000,"blocked_seconds":22,"attempts":22,"stack_readable":true,"function":"lp_hold_wait","kernel_thread":false,"own":false,"never_completes":false},
        {"pid":88,"tid":88,"comm":"sh\u001b[2J","state":"R","unit":null,"uid":null,"blocked_seconds":0,"attempts":1,"stack_readable":false,"function":null,"kernel_thread":false,"own":false,"never_completes":false}],
        "units":[]}
        """;

    [Fact]
    public void Nothing_at_all_is_two_empty_blocks()
    {
        using var root = new KpatchRoot(Bus.Address);
        Serve();
        var run = root.Kpatch("list");
        Assert.Equal((0, "Loaded patch modules:\n\nInstalled patch modules:\n", ""), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public void What_the_kernel_has_and_what_is_installed()
    {
        using var root = new KpatchRoot(Bus.Address);
        root.Installed("lp-one.ko", "lp_one");
        root.Installed("lp_packed.ko.zst", "lp_packed");
        root.Installed("lp_one.ko", "lp_one", "6.1.0-40-amd64");
        root.Write("/var/lib/kpatch/6.1.0-40-amd64/.lp_new.ko", []);
        root.Write("/var/lib/kpatch/6.1.0-40-amd64/notes.txt", []);
        root.Write("/var/lib/kpatch/a-file", []);
        Serve(
            new FakePatch { Name = "lp_active" },
            new FakePatch { Name = "lp_foreign", State = "foreign" },
            new FakePatch { Name = "lp_forced", State = "forced" },
            new FakePatch { Name = "lp_gone", State = "reverted" },
            new FakePatch { Name = "lp_held", State = "held" },
            new FakePatch { Name = "lp_leaving", State = "superseded", Objects = [("vmlinux", "no")] },
            new FakePatch { Name = "lp_pinned", State = "quarantined", Reason = "reboot-to-leave", Objects = [("vmlinux", "yes")] },
            new FakePatch { Name = "lp_refused", State = "rejected" },
            new FakePatch { Name = "lp_soaking", State = "soaking" });
        Assert.Equal(
            """
            Loaded patch modules:
            lp_active [enabled]
            lp_forced [enabled]
            lp_foreign [enabled]
            lp_leaving [disabled]
            lp_pinned [enabled]
            lp_soaking [enabled]

            Installed patch modules:
            lp_one (6.1.0-40-amd64)
            lp_one (6.12.0-13-amd64)
            lp_packed (6.12.0-13-amd64)

            """,
            root.Kpatch("list").Succeeded().Output);
    }

    [Theory]
    [InlineData("transitioning", "enable", "enabling...")]
    [InlineData("stalled", "enable", "enabling...")]
    [InlineData("stalled", "disable", "disabling...")]
    [InlineData("reversing", "disable", "disabling...")]
    [InlineData("reverting", "disable", "disabling...")]
    [InlineData("foreign", "enable", "enabling...")]
    [InlineData("foreign", "disable", "disabling...")]
    public void A_transition_is_shown_with_who_holds_it_up(string state, string direction, string shown)
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve(new FakePatch { Name = "lp_a", State = state }, new FakePatch { Name = "lp_b" });
        daemon.TransitionPatch = "lp_a";
        daemon.BlockingTexts.Enqueue(Blocking("lp_a", direction));
        Assert.Equal(
            $"""
            Loaded patch modules:
            lp_a [{shown}]
            lp_b [enabled]

            Stalled processes:
            502 cat
            stack:
            lp_hold_wait
            88 sh?[2J
            stack:

            Installed patch modules:

            """,
            root.Kpatch("list").Succeeded().Output);
    }

    [Fact]
    public void The_topmost_module_of_each_function_is_shown_where_the_kernel_tells()
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve(
            new FakePatch { Name = "lp_a", StackOrder = 1, Functions = [("vmlinux", "cmdline_proc_show"), ("xfs", "xfs_b,2")] },
            new FakePatch { Name = "lp_longer_name", StackOrder = 2, Functions = [("vmlinux", "cmdline_proc_show")] },
            new FakePatch { Name = "lp_none", State = "held", StackOrder = 3, Functions = [("xfs", "xfs_b,2")] });
        Assert.EndsWith(
            """
            Installed patch modules:

            Currently livepatched functions:
            Module          Object   Function/Occurrence
            lp_longer_name  vmlinux  cmdline_proc_show,1
            lp_a            xfs      xfs_b,2

            """,
            root.Kpatch("list").Succeeded().Output, StringComparison.Ordinal);

        daemon.TransitionPatch = "lp_longer_name";
        daemon.BlockingTexts.Enqueue(Blocking("lp_longer_name", "enable"));
        var lines = root.Kpatch("list").Succeeded().Lines;
        Assert.Equal(
            ["Module          Object   Function/Occurrence  ", "lp_longer_name  vmlinux  cmdline_proc_show,1  (transition)", "lp_a            xfs      xfs_b,2              "],
            lines[^3..]);
    }

    [Fact]
    public void Info_is_what_modinfo_says()
    {
        using var root = new KpatchRoot();
        var image = new ModuleImage
        {
            ModInfo = ["livepatch=Y", "description=of two words", "license=GPL", "depends=", "name=lp_one", $"vermagic={FakeDaemon.Kernel} SMP mod_unload ", "parm=level:how much", "parmtype=level:int"],
        };
        var path = root.Write(KpatchRoot.InstallDirectory + "/lp-one.ko", image.Build());
        foreach (var argument in (string[])["lp_one", "lp-one.ko", path])
        {
            var run = root.Kpatch("info", argument);
            Assert.Equal(
                (0, $"""
                Patch information for {argument}:
                filename:       {path}
                livepatch:      Y
                description:    of two words
                license:        GPL
                depends:        {""}
                name:           lp_one
                vermagic:       {FakeDaemon.Kernel} SMP mod_unload{" "}
                parm:           level:how much (int)

                """, ""), (run.ExitCode, run.Output, run.Error));
        }
    }

    [Fact]
    public void What_has_no_info_is_1()
    {
        using var root = new KpatchRoot();
        root.Kpatch("info", "lp_one").Failed(1, "kpatch: can't find lp_one\n");
        root.Write("/tmp/text.ko", "hello"u8.ToArray());
        root.Kpatch("info", "text.ko").Failed(1, "kpatch: failed to get info for module text.ko: not-an-elf-file: ");
        root.Write("/tmp/packed.ko.xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1]);
        root.Kpatch("info", "packed.ko.xz").Failed(1, "kpatch: failed to get info for module packed.ko.xz: it is compressed; decompress it first (xz -dk)\n");
    }

    [Fact]
    public void Signal_has_something_to_say_only_while_a_transition_runs()
    {
        using var root = new KpatchRoot(Bus.Address);
        var daemon = Serve(new FakePatch { Name = "lp_a" });
        var idle = root.Kpatch("signal");
        Assert.Equal((0, "", ""), (idle.ExitCode, idle.Output, idle.Error));
        daemon.TransitionPatch = "lp_a";
        var busy = root.Kpatch("signal");
        Assert.Equal(
            (0, "", "kpatch: Livepatch process signaling is performed automatically on your system.\nkpatch: Skipping manual process signaling.\n"),
            (busy.ExitCode, busy.Output, busy.Error));
    }
}
