// `kpatch install` and `uninstall`: files of one kernel, whole or not at all, without a daemon.
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.Ctl.Tests;

public sealed class KpatchInstallTests : CtlTest
{
    private const string Other = "6.1.0-40-amd64";

    [Fact]
    public void A_module_is_installed_whole_and_readable()
    {
        using var root = new KpatchRoot();
        var module = root.Module();
        var run = root.Kpatch("install", module);
        Assert.Equal((0, $"installing {module} ({FakeDaemon.Kernel})\n", ""), (run.ExitCode, run.Output, run.Error));
        Assert.Equal(["lp-one.ko"], root.Files());
        var installed = root.On($"{KpatchRoot.InstallDirectory}/lp-one.ko");
        Assert.Equal(File.ReadAllBytes(module), File.ReadAllBytes(installed));
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(installed) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite));
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(root.On("/var/lib/kpatch")) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite));
    }

    [Theory]
    [InlineData("-k", Other, "FILE")]
    [InlineData("-k" + Other, "FILE")]
    [InlineData("--kernel-version", Other, "FILE")]
    [InlineData("--kernel-version=" + Other, "FILE")]
    [InlineData("--kern=" + Other, "FILE")]
    [InlineData("FILE", "-k", Other)]
    [InlineData("-k", "1.0", "-k", Other, "FILE")]
    [InlineData("-k", Other, "--", "FILE")]
    [InlineData("-k", Other, "FILE", "ignored")]
    public void Another_kernel_is_named_as_getopt_takes_it(params string[] arguments)
    {
        using var root = new KpatchRoot();
        root.Module("lp_one.ko", release: Other);
        var file = "lp_one.ko";
        string[] With(string verb) => [verb, .. arguments.Select(a => a == "FILE" ? file : a)];
        Assert.Equal($"installing lp_one.ko ({Other})\n", root.Kpatch(With("install")).Succeeded().Output);
        Assert.Equal(["lp_one.ko"], root.Files(Other));
        Assert.False(root.HasDirectory());
        Assert.Equal($"uninstalling lp_one.ko ({Other})\n", root.Kpatch(With("uninstall")).Succeeded().Output);
        Assert.False(root.HasDirectory(Other));
    }

    [Theory]
    [InlineData("unrecognized option '--foo'", "--foo", "x.ko")]
    [InlineData("unrecognized option '--kernel-versionx=1'", "--kernel-versionx=1", "x.ko")]
    [InlineData("invalid option -- 'z'", "-z", "x.ko")]
    [InlineData("option requires an argument -- 'k'", "x.ko", "-k")]
    [InlineData("option '--kernel-version' requires an argument", "--kern")]
    public void What_getopt_refuses_is_said_as_getopt_says_it(string problem, params string[] arguments)
    {
        using var root = new KpatchRoot();
        foreach (var verb in (string[])["install", "uninstall"])
        {
            var run = root.Kpatch([verb, .. arguments]);
            Assert.Equal((1, "", $"getopt: {problem}\nkpatch: getopt failed\n"), (run.ExitCode, run.Output, run.Error));
        }
    }

    [Fact]
    public void What_cannot_be_installed_is_refused_in_one_line()
    {
        using var root = new KpatchRoot();
        root.Kpatch("install").Failed(1, "kpatch: no module file specified\n");
        root.Kpatch("install", "").Failed(1, "kpatch: no module file specified\n");
        root.Kpatch("install", "none.ko").Failed(1, "kpatch: none.ko doesn't exist\n");
        root.Write("/tmp/lp_one.xz", KpatchRoot.Image());
        root.Kpatch("install", "lp_one.xz").Failed(1, "kpatch: lp_one.xz isn't a .ko file\n");
        root.Write("/tmp/text.ko", "hello"u8.ToArray());
        root.Kpatch("install", "text.ko").Failed(1, "kpatch: modinfo failed: not-an-elf-file: ");
        root.Write("/tmp/packed.ko", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1]);
        root.Kpatch("install", "packed.ko").Failed(1, "kpatch: modinfo failed: packed.ko is compressed; decompress it first (xz -dk)\n");
        root.Module("old.ko", release: Other);
        root.Kpatch("install", "old.ko").Failed(1, $"kpatch: invalid module version {Other} for kernel {FakeDaemon.Kernel}\n");
        root.Module("up.ko", release: "..");
        root.Kpatch("install", "-k", "..", "up.ko").Failed(1, "kpatch: invalid kernel version ..\n");
        root.Kpatch("install", "-k", "../../../tmp", "up.ko").Failed(1, "kpatch: invalid kernel version ../../../tmp\n");
        root.Kpatch("install", "-k", "", "up.ko").Failed(1, "kpatch: invalid kernel version \n");
        Assert.False(Directory.Exists(root.On("/var/lib/kpatch")));
    }

    [Fact]
    public void What_is_there_is_not_replaced()
    {
        using var root = new KpatchRoot();
        var installed = root.Installed("lp-one.ko", "another");
        var before = File.ReadAllBytes(installed);
        root.Module();
        root.Kpatch("install", "lp-one.ko").Failed(1, "kpatch: lp-one.ko is already installed\n");
        Assert.Equal(before, File.ReadAllBytes(installed));
        Assert.Equal(["lp-one.ko"], root.Files());
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_said()
    {
        using var root = new KpatchRoot();
        root.Write(KpatchRoot.InstallDirectory, []);
        root.Kpatch("install", root.Module()).Failed(1, "kpatch: failed to create install directory: ");
    }

    [Fact]
    public void The_service_is_enabled_where_it_is_installed()
    {
        using var root = new KpatchRoot();
        root.Write("/bin/systemctl", "#!/bin/sh\necho \"systemctl $*\"\nexit 1\n"u8.ToArray());
        File.SetUnixFileMode(root.On("/bin/systemctl"), (UnixFileMode)0b111_101_101);
        Assert.Equal(0, root.Kpatch("install", root.Module()).ExitCode);

        root.Write("/usr/lib/systemd/system/kpatch.service", []);
        var second = root.Kpatch("install", root.Module("lp_two.ko", "lp_two"));
        Assert.EndsWith("\nsystemctl enable kpatch.service\n", second.Output, StringComparison.Ordinal);
        Assert.Equal(1, second.ExitCode);
        Assert.Equal(["lp-one.ko", "lp_two.ko"], root.Files());
    }

    [Theory]
    [InlineData("lp-one.ko")]
    [InlineData("lp_one.ko")]
    [InlineData("lp-one")]
    [InlineData("lp_one")]
    public void A_module_is_uninstalled_by_any_of_its_names(string name)
    {
        using var root = new KpatchRoot();
        root.Installed();
        var run = root.Kpatch("uninstall", name);
        Assert.Equal((0, $"uninstalling {name} ({FakeDaemon.Kernel})\n", ""), (run.ExitCode, run.Output, run.Error));
        Assert.False(root.HasDirectory());
        // It may be watched, and its absence would not say that nothing is wanted.
        Assert.True(Directory.Exists(root.On("/var/lib/kpatch")));
    }

    [Fact]
    public void Others_stay_when_one_is_uninstalled()
    {
        using var root = new KpatchRoot();
        root.Installed();
        root.Installed("lp_two.ko", "lp_two");
        root.Kpatch("uninstall", "lp_two").Succeeded();
        Assert.Equal(["lp-one.ko"], root.Files());
        root.Kpatch("uninstall", "lp_two").Failed(1, $"kpatch: lp_two is not installed for kernel {FakeDaemon.Kernel}\n");
        root.Kpatch("uninstall", "./lp-one.ko").Failed(1, "kpatch: please supply patch module name without path\n");
        root.Kpatch("uninstall", "-k", "..", "kpatch").Failed(1, "kpatch: invalid kernel version ..\n");
        root.Kpatch("uninstall").Failed(1, "kpatch: no module file specified\n");
        Assert.Equal(["lp-one.ko"], root.Files());
    }

    [Theory]
    [InlineData("superseded", "", true)]
    [InlineData("reverting", "replaced-by-newer", true)]
    [InlineData("reverting", "reverted-by-operator", false)]
    [InlineData("reverted", "", true)]
    [InlineData("held", "", true)]
    [InlineData("active", "", false)]
    [InlineData("soaking", "", false)]
    public void The_daemons_copy_goes_too_unless_it_is_loaded(string state, string reason, bool goes)
    {
        using var root = new KpatchRoot(Bus.Address);
        var digest = KpatchRoot.Digest(root.Installed());
        var copy = $"/var/lib/livepatchd/patches/{FakeDaemon.Kernel}/lp_one.ko";
        var daemon = Serve(new FakePatch { Name = "lp_one", State = state, Reason = reason, Sha256 = digest, File = copy });
        var run = root.Kpatch("uninstall", "lp_one").Succeeded();
        Assert.Equal(goes ? ["unstage lp_one"] : [], daemon.Asked);
        Assert.Equal(goes ? "" : $"kpatch: lp_one stays loaded, and at every boot, by livepatchd's copy {copy}, until: livepatchctl unstage lp_one\n", run.Error);
    }

    [Fact]
    public void A_file_that_is_not_the_daemons_copy_is_left_alone()
    {
        using var root = new KpatchRoot(Bus.Address);
        var digest = KpatchRoot.Digest(root.Installed());
        root.Write("/var/lib/kpatch/" + Other + "/lp_one.ko", ModuleImage.Named("lp_one", Other).Build());
        var daemon = Serve(new FakePatch { Name = "lp_one", State = "superseded", Sha256 = digest, File = $"{KpatchRoot.InstallDirectory}/lp-one.ko" });
        root.Kpatch("uninstall", "-k", Other, "lp_one").Succeeded();
        root.Kpatch("uninstall", "lp_one").Succeeded();
        Assert.Empty(daemon.Asked);
    }
}
