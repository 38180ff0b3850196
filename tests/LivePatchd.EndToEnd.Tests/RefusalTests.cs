// Every refusal has its reason on bus, list and log, leaves nothing behind, does not storm, and does not stand in the way of others.
using LivePatchd.Core.Model;

namespace LivePatchd.EndToEnd.Tests;

public sealed class RefusalTests
{
    private static readonly Patch Good = new("lp_good");

    public static TheoryData<string> FileCases { get; } =
    [
        "wrong-kernel", "not-a-livepatch", "truncated-file", "not-an-elf-file", "file-too-large", "corrupt-compression", "unsafe-permissions",
        "not-a-regular-file", "hard-linked-file", "invalid-manifest", "manifest-mismatch", "expired",
    ];

    [Theory]
    [MemberData(nameof(FileCases))]
    public async Task A_refused_file_says_why_everywhere_and_is_never_loaded(string reason)
    {
        await using var host = await TestHost.Started();
        var patch = new Patch("lp_bad");
        switch (reason)
        {
            case "wrong-kernel": host.Drop(patch with { Release = "5.0.0-other" }); break;
            case "not-a-livepatch": host.Drop(patch with { Livepatch = false }); break;
            case "truncated-file": host.Drop("lp_bad.ko", patch.Bytes[..^100]); break;
            case "not-an-elf-file": host.Drop("lp_bad.ko", new byte[300]); break;
            case "file-too-large": host.Drop("lp_bad.ko", []); break;
            case "corrupt-compression": host.Drop("lp_bad.ko.xz", [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, 1, 2, 3]); break;
            case "unsafe-permissions": Writable(host, patch); break;
            case "not-a-regular-file": File.CreateSymbolicLink(host.Root.Path(TestHost.PatchDirectory + "/lp_bad.ko"), "/dev/null"); break;
            case "hard-linked-file": await Linked(host, patch); break;
            case "invalid-manifest": Manifest(host, patch, "no-such-key: 1\n"); break;
            case "manifest-mismatch": Manifest(host, patch, $"sha256: {new string('0', 64)}\n"); break;
            case "expired": Manifest(host, patch, "not-after: 2001-01-01T00:00:00Z\n"); break;
        }
        host.Drop(Good);
        await host.Becomes("lp_bad", "rejected", reason);
        await host.Becomes("lp_good", "active");
        await Limit.Until(() => host.Log.Says("lp_bad", reason), () => host.Log.Text);
        Assert.Equal(["load lp_good ok"], host.Kernel.Calls);
        Assert.Equal("org.livepatchd1.Error.NoSuchPatch", host.View.Ask("Revert", "lp_none").Error!.Name);
    }

    public static TheoryData<Errno, string> KernelCases { get; } = new()
    {
        { Errno.EINVAL, "kernel-refused" },
        { Errno.ENODEV, "kernel-refused" },
        { Errno.ENOENT, "unknown-symbol" },
        { Errno.EBADMSG, "signature-invalid" },
        { Errno.EKEYREJECTED, "signature-required" },
        { Errno.ENOEXEC, "module-format-refused" },
        { Errno.ENOMEM, "out-of-memory" },
        { Errno.EPERM, "not-permitted" },
        { Errno.EBUSY, "ftrace-conflict" },
    };

    [Theory]
    [MemberData(nameof(KernelCases))]
    public async Task What_the_kernel_refuses_has_its_reason_and_is_not_tried_again_and_again(Errno errno, string word)
    {
        await using var host = await TestHost.Started();
        var bad = new Patch("lp_bad") { Answer = errno };
        host.Drop(bad);
        host.Drop(Good);
        var permanent = ReasonTable.Parse(word)!.Kind is ReasonKind.Permanent;
        await host.Becomes("lp_bad", permanent ? "rejected" : "held", word);
        await host.Becomes("lp_good", "active");
        await Limit.Until(() => host.Log.Says("lp_bad", word), () => host.Log.Text);
        for (var i = 0; i < 3; i++)
        {
            host.Barrier();
            BusView.Value(host.View.Reload());
        }
        Assert.Equal(1, host.Kernel.LoadsOf("lp_bad"));
        Assert.False(host.Kernel.Has("lp_bad"));
        var shown = host.View.Patch("lp_bad");
        Assert.Equal(1U, shown["Attempts"]);
        Assert.Contains(errno.ToString(), (string)shown["LastError"], StringComparison.Ordinal);
        Assert.Equal(permanent, shown["RetryAtUsec"] is 0UL);

        // The pause is over: one more try where one makes sense, none where the same bytes fail again.
        host.Time.Skip(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        host.Barrier();
        await Limit.Until(() => host.Kernel.LoadsOf("lp_bad") == (permanent ? 1 : 2));
        host.Time.Skip(TimeSpan.FromMinutes(6));
        host.Barrier();
        Assert.Equal(permanent ? 1 : 2, host.Kernel.LoadsOf("lp_bad"));

        // Somebody asks: at once.
        Assert.Equal(permanent ? "rejected" : "held", await host.View.Job("Apply", "lp_bad"));
        Assert.Equal(permanent ? 2 : 3, host.Kernel.LoadsOf("lp_bad"));
        Assert.Equal(["lp_good"], host.Kernel.Active);
    }

    [Fact]
    public async Task A_restart_does_not_forget_what_the_kernel_refused()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_bad") { Answer = Errno.ENOENT });
        await host.Becomes("lp_bad", "rejected", "unknown-symbol");
        await host.Restart();
        await host.Becomes("lp_bad", "rejected", "unknown-symbol");
        host.Barrier();
        Assert.Equal(1, host.Kernel.LoadsOf("lp_bad"));

        host.Boot("22222222-2222-4222-8222-222222222222");
        host.Kernel = new TestKernel(host.Root);
        await host.Restart();
        await Limit.Until(() => host.Kernel.LoadsOf("lp_bad") == 1);
    }

    [Fact]
    public async Task A_corrected_file_is_tried_at_once()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one") { Answer = Errno.ENOENT });
        await host.Becomes("lp_one", "rejected");
        host.Drop(new Patch("lp_one", 2));
        await host.Becomes("lp_one", "active", "");
        Assert.Equal(2, host.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task Without_ftrace_patches_wait_and_are_applied_when_it_is_back()
    {
        await using var host = await TestHost.Started();
        host.Write("/proc/sys/kernel/ftrace_enabled", "0\n");
        host.Drop(Good);
        await host.Becomes("lp_good", "held", "ftrace-disabled");
        await Limit.Until(() => host.Log.Says("lp_good", "ftrace-disabled"));
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
        host.Write("/proc/sys/kernel/ftrace_enabled", "1\n");
        host.Time.Skip(TimeSpan.FromSeconds(16));
        host.Barrier();
        await host.Becomes("lp_good", "active");
        Assert.Equal(["load lp_good ok"], host.Kernel.Calls);
    }

    [Theory]
    [InlineData("/sys/module/module/parameters/sig_enforce", "Y\n", "signature-required", "rejected")]
    [InlineData("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n", "locked-down", "rejected")]
    [InlineData("/proc/sys/kernel/modules_disabled", "1\n", "modules-disabled", "held")]
    public async Task What_the_kernel_will_not_accept_is_not_even_tried(string file, string value, string reason, string state)
    {
        await using var host = new TestHost();
        host.Write(file, value);
        await host.Start();
        host.Drop(Good);
        await host.Becomes("lp_good", state, reason);
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
        await Limit.Until(() => host.Log.Says("lp_good", reason));
        if (reason != "modules-disabled")
        {
            host.Drop(new Patch("lp_signed") { Signed = true });
            await host.Becomes("lp_signed", "active");
        }
    }

    [Fact]
    public async Task Revert_ModulesDisabled_EndsAsRevertedAndTheModuleStays()
    {
        await using var host = await TestHost.Started();
        host.Drop(Good);
        await host.Becomes("lp_good", "active");
        host.Write("/proc/sys/kernel/modules_disabled", "1\n");
        var said = (await Tool.Ctl(host, "revert", "lp_good")).Exits(0).Output;
        Assert.Contains("module stays until reboot (modules-disabled)", said, StringComparison.Ordinal);
        Assert.Equal(["load lp_good ok", "disable lp_good ok"], host.Kernel.Calls);
        Assert.Empty(host.Kernel.Active);
        for (var restarts = 0; restarts < 2; restarts++)
        {
            host.Barrier();
            await host.Becomes("lp_good", "reverted", "modules-disabled");
            Assert.Equal("", (await Tool.Ctl(host, "check")).Exits(0).Output);
            Assert.Contains("reverted (modules-disabled)", (await Tool.Ctl(host, "list")).Exits(0).Output, StringComparison.Ordinal);
            Assert.Contains("reverted-by-operator; the module stays until reboot", (await Tool.Ctl(host, "show", "lp_good")).Exits(0).Output, StringComparison.Ordinal);
            await host.Restart();
        }
        Assert.Equal(["load lp_good ok", "disable lp_good ok"], host.Kernel.Calls);
        // It cannot come back before the next boot either, and that is said.
        await host.Becomes("lp_good", "reverted", "modules-disabled");
        Assert.Equal("held", await host.View.Job("Apply", "lp_good"));
        await host.Becomes("lp_good", "held", "modules-disabled");
        (await Tool.Ctl(host, "check")).Exits(3);
    }

    [Fact]
    public async Task A_foreign_transition_met_by_chance_costs_a_short_wait()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Refuse("lp_good", Errno.EBUSY, times: 2);
        host.Drop(Good);
        await host.Becomes("lp_good", "held");
        Assert.Equal("ftrace-conflict", host.View.Find("lp_good")!.Reason);
    }

    [Fact]
    public async Task Two_builds_of_one_name_are_refused_and_the_loaded_one_stays()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one", 1));
        await host.Becomes("lp_one", "active");
        host.Drop(new Patch("lp_one", 2), "lp_one-again.ko");
        await host.Becomes("lp_one", "active", "duplicate-name");
        host.Drop(new Patch("lp_two", 1));
        host.Drop(new Patch("lp_two", 2), "lp_two-again.ko");
        host.Barrier();
        Assert.Equal(["lp_one"], host.Kernel.Active.Where(n => n == "lp_one"));
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
        host.Remove("lp_one-again.ko");
        await host.Becomes("lp_one", "active", "");
    }

    [Fact]
    public async Task One_bad_file_among_ten_good_ones_is_alone_in_failing()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_5") { Answer = Errno.EINVAL });
        foreach (var i in Enumerable.Range(0, 10).Where(i => i != 5))
            host.Drop(new Patch($"lp_{i}"));
        await Limit.Until(() => host.Kernel.Active.Count() == 9);
        await host.Becomes("lp_5", "held", "kernel-refused");
        Assert.Equal(1, host.Kernel.LoadsOf("lp_5"));
    }

    [Fact]
    public async Task A_refused_disable_is_reported_and_tried_again_after_its_pause()
    {
        await using var host = await TestHost.Started();
        host.Drop(Good);
        await host.Becomes("lp_good", "active");
        host.Kernel.RefuseDisable = Errno.EIO;
        var job = BusView.Value(host.View.Ask("Revert", "lp_good"));
        Assert.Equal("failed", await host.View.Result(job));
        await host.Becomes("lp_good", "active", "revert-refused");
        host.Barrier();
        Assert.Single(host.Kernel.Calls, c => c.StartsWith("disable ", StringComparison.Ordinal));
        host.Kernel.RefuseDisable = Errno.None;
        host.Time.Skip(TimeSpan.FromMinutes(6));
        host.Barrier();
        await host.Becomes("lp_good", "reverted");
    }

    private static void Manifest(TestHost host, Patch patch, string line)
    {
        host.Write(TestHost.PatchDirectory + "/lp_bad.yaml", $"schema: 1\nname: {patch.Name}\n{line}");
        host.Drop(patch);
    }

    /// <summary>With its mode before its name: the daemon is quick.</summary>
    private static void Writable(TestHost host, Patch patch)
    {
        var hidden = host.Drop(patch, ".hidden");
        TestHost.Mode(hidden, "666");
        File.Move(hidden, host.Root.Path($"{TestHost.PatchDirectory}/{patch.FileName}"));
    }

    private static async Task Linked(TestHost host, Patch patch)
    {
        var path = host.Drop(patch, ".hidden");
        (await Tool.Run(["ln", path, host.Root.Path(TestHost.PatchDirectory + "/lp_bad.ko")])).Exits(0);
    }
}
