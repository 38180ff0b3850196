// What the kernel would refuse it is not asked for; what plan predicts is what happens; a file that nobody staged has a prediction too.
using System.Text;
using System.Text.Json;
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.EndToEnd.Tests;

public sealed class PreflightTests
{
    private const string Traced = "/sys/kernel/tracing/enabled_functions";
    private const string Held = "cmdline_proc_show (1) R I     \ttramp: 0xffffffffc04bf000 (somebodys_handler+0x0/0x1d0) ->somebodys_handler+0x0/0x1d0\n";

    private static byte[] Image(string function = "cmdline_proc_show", string release = TestHost.Release)
    {
        var image = new PatchImage { ModInfo = ["license=GPL", "livepatch=Y", "name=lp_one", $"vermagic={release} SMP mod_unload "] };
        image.HandWritten(false, (null, [(function, 0)]));
        return image.Build();
    }

    private static async Task<TestHost> Started(string traced = "")
    {
        var host = new TestHost();
        var symbols = new StringBuilder();
        for (var i = 0; i < 2000; i++)
            symbols.Append($"ffffffff8{i:x7} t filler_{i}\n");
        host.Write("/proc/kallsyms", symbols + "ffffffff81000000 t cmdline_proc_show\nffffffff81000010 t uptime_proc_show.constprop.0\n");
        host.Write(Traced, traced);
        host.Write("/sys/kernel/debug/kprobes/list", "");
        host.Write("/proc/meminfo", "MemAvailable:    4000000 kB\n");
        await host.Start();
        return host;
    }

    [Fact]
    public async Task A_function_that_is_not_there_is_refused_without_asking_the_kernel()
    {
        await using var host = await Started();
        host.Drop("lp_one.ko", Image("uptime_proc_show"));
        await host.Becomes("lp_one", "rejected", "symbol-not-found");
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
        var (outcome, reason, detail, errno) = Predicted(host.View.Plan());
        Assert.Equal(("refused", "symbol-not-found", "EINVAL"), (outcome, reason, errno));
        Assert.Contains("uptime_proc_show.constprop.0", detail, StringComparison.Ordinal);
        Assert.Equal("rejected", await host.View.Job("Apply", "lp_one"));
        Assert.Empty(host.Kernel.Calls);
    }

    [Fact]
    public async Task A_function_that_ftrace_cannot_reach_is_refused_without_asking_the_kernel()
    {
        await using var host = await Started();
        host.Write("/sys/kernel/tracing/available_filter_functions", "filler_1\n");
        host.Drop("lp_one.ko", Image());
        await host.Becomes("lp_one", "rejected", "function-not-traceable");
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
        var (outcome, reason, detail, errno) = Predicted(host.View.Plan());
        Assert.Equal(("refused", "function-not-traceable", "EINVAL"), (outcome, reason, errno));
        Assert.Contains("cmdline_proc_show", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_holds_a_function_is_named_and_the_patch_follows_when_it_lets_go()
    {
        await using var host = await Started(Held);
        host.Drop("lp_one.ko", Image());
        await host.Becomes("lp_one", "held", "ftrace-conflict");
        var (outcome, reason, detail, errno) = Predicted(host.View.Plan());
        Assert.Equal(("held", "ftrace-conflict", "EBUSY"), (outcome, reason, errno));
        Assert.Contains("somebodys_handler", detail, StringComparison.Ordinal);
        Assert.Empty(host.Kernel.Calls);

        host.Write(Traced, "");
        await Limit.Until(
            () =>
            {
                host.Time.Skip(TimeSpan.FromSeconds(5));
                host.Barrier();
                return host.View.Find("lp_one") is { State: "active" };
            },
            () => host.Log.Text);
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task What_changed_since_the_scan_is_seen_right_before_the_load()
    {
        await using var host = await Started();
        BusView.Value(host.View.Hold("a test"));
        host.Drop("lp_one.ko", Image());
        await host.Becomes("lp_one", "held", "operator-hold");
        host.Write(Traced, Held);
        BusView.Value(host.View.Unhold());
        await host.Becomes("lp_one", "held", "ftrace-conflict");
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
        Assert.True(host.Log.Says("lp_one", "ftrace-conflict"));
        Assert.Equal(1, host.Log.Count("not loaded: cmdline_proc_show of vmlinux is held by somebodys_handler"));
    }

    [Theory]
    [InlineData("/proc/meminfo", "MemAvailable:    4000 kB\n", "memory-low")]
    [InlineData("/proc/kallsyms", "", null)]
    public async Task Facts_of_the_host(string file, string content, string? reason)
    {
        await using var host = await Started();
        host.Write(file, content);
        host.Drop("lp_one.ko", Image());
        if (reason is null)
            await host.Becomes("lp_one", "active");
        else
            await host.Becomes("lp_one", "held", reason);
        Assert.Equal(reason is null ? 1 : 0, host.Kernel.Calls.Count);
    }

    [Fact]
    public async Task A_file_that_nobody_staged_is_predicted_as_it_then_happens()
    {
        await using var host = await Started(Held);
        var path = Path.Combine(host.Directory, "lp_one.ko");
        await File.WriteAllBytesAsync(path, Image(), TestContext.Current.CancellationToken);
        var before = Directory.GetFileSystemEntries(host.Root.Path(TestHost.PatchDirectory));
        var conflict = Predicted((await Tool.Ctl(host, "plan", path, "--json")).Exits(0).Output);
        Assert.Equal(("held", "ftrace-conflict", "EBUSY"), (conflict.Outcome, conflict.Reason, conflict.Errno));

        host.Write(Traced, "");
        using (var plan = JsonDocument.Parse((await Tool.Ctl(host, "plan", path, "--json")).Exits(0).Output))
        {
            Assert.Equal("loads", plan.RootElement.GetProperty("patches")[0].GetProperty("outcome").GetString());
            Assert.Equal("load", plan.RootElement.GetProperty("steps")[0].GetProperty("action").GetString());
        }
        Assert.Equal(before, Directory.GetFileSystemEntries(host.Root.Path(TestHost.PatchDirectory)));
        Assert.Empty(host.Kernel.Calls);
        Assert.Null(host.View.Find("lp_one"));

        (await Tool.Ctl(host, "apply", path)).Exits(0);
        Assert.Equal("loaded", Predicted((await Tool.Ctl(host, "plan", path, "--json")).Exits(0).Output).Outcome);

        await File.WriteAllBytesAsync(path, Image(release: "6.1.0-other"), TestContext.Current.CancellationToken);
        var wrong = Predicted((await Tool.Ctl(host, "plan", path, "--json")).Exits(0).Output);
        Assert.Equal(("refused", "wrong-kernel", "ENOEXEC"), (wrong.Outcome, wrong.Reason, wrong.Errno));
        Assert.Equal(6, (await Tool.Ctl(host, "apply", path)).ExitCode);
    }

    /// <summary>All that a scan judges a plan judges too: what is denied, and what the sidecar that lies there already says.</summary>
    [Fact]
    public async Task A_denied_file_and_one_that_its_sidecar_excludes_are_predicted_as_such()
    {
        await using var host = await Started();
        var path = Path.Combine(host.Directory, "lp_one.ko");
        await File.WriteAllBytesAsync(path, Image(), TestContext.Current.CancellationToken);
        host.Write(TestHost.PatchDirectory + "/lp_one.yaml", "schema: 1\nname: lp_other\n");
        Assert.Equal("manifest-mismatch", Predicted((await Tool.Ctl(host, "plan", path, "--json")).Exits(0).Output).Reason);
        File.Delete(host.Root.Path(TestHost.PatchDirectory + "/lp_one.yaml"));
        Assert.Equal("loads", Predicted((await Tool.Ctl(host, "plan", path, "--json")).Exits(0).Output).Outcome);
        host.Write("/etc/livepatchd/deny.d/" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Image())), "");
        var denied = Predicted((await Tool.Ctl(host, "plan", path, "--json")).Exits(0).Output);
        Assert.Equal(("refused", "denied"), (denied.Outcome, denied.Reason));
        Assert.Equal(6, (await Tool.Ctl(host, "apply", path)).ExitCode);
    }

    [Fact]
    public async Task Only_regular_files_are_planned_for()
    {
        await using var host = await Started();
        var result = (await Tool.Ctl(host, "plan", "/dev/null", "--json")).Exits(0);
        Assert.Equal("not-a-regular-file", Predicted(result.Output).Reason);
        var link = Path.Combine(host.Directory, "zero.ko");
        File.CreateSymbolicLink(link, "/dev/zero");
        Assert.Equal("not-a-regular-file", Predicted((await Tool.Ctl(host, "plan", link, "--json")).Exits(0).Output).Reason);
    }

    private static (string? Outcome, string? Reason, string? Detail, string? Errno) Predicted(string json)
    {
        using var plan = JsonDocument.Parse(json);
        var patch = plan.RootElement.GetProperty("patches").EnumerateArray().Single();
        string? Text(string name) => patch.GetProperty(name).GetString();
        return (Text("outcome"), Text("reason"), Text("detail"), Text("errno"));
    }
}
