// What others do to the kernel behind the daemon's back: it is told soon, followed by policy, and what runs is proved to be the file.

namespace LivePatchd.EndToEnd.Tests;

public sealed class DriftTests
{
    [Fact]
    public async Task DisableByHand_NoKernelLog_IsReportedBeforeTheNextRescan()
    {
        // This host has no kernel log.
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Assert.Equal("match", host.View.Patch("lp_one")["Identity"]);
        host.Kernel.DisableByHand("lp_one");
        // The directories are scanned anew every five minutes, which is longer than a test waits: it is the look of every 1.5 s that finds it.
        await host.Becomes("lp_one", "held", "disabled-by-hand");
        Assert.True(host.Log.Says("lp_one", "disabled-by-hand"));
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
        Assert.Equal("", host.View.Patch("lp_one")["Identity"]);
    }

    [Fact]
    public async Task With_restore_it_is_loaded_again_a_few_times_and_no_more()
    {
        await using var host = new TestHost();
        host.Configure("drift: restore\n");
        await host.Start();
        host.Drop(new Patch("lp_one"));
        for (var time = 1; time <= 4; time++)
        {
            await Limit.Until(
                () =>
                {
                    host.Time.Skip(TimeSpan.FromMinutes(10));
                    host.Barrier();
                    return host.View.Find("lp_one") is { State: "active" };
                },
                () => host.Log.Text);
            Assert.Equal(time, host.Kernel.LoadsOf("lp_one"));
            host.Kernel.DisableByHand("lp_one");
            await Limit.Until(() => !host.Kernel.Has("lp_one") || host.Kernel.LoadsOf("lp_one") > time, () => host.Log.Text);
        }
        await host.Becomes("lp_one", "held", "disabled-by-hand");
        host.Time.Skip(TimeSpan.FromHours(12));
        host.Barrier();
        Assert.Equal(4, host.Kernel.LoadsOf("lp_one"));
        Assert.Contains("not restored any more", (string)host.View.Patch("lp_one")["Detail"], StringComparison.Ordinal);

        Assert.Equal("done", await host.View.Job("Apply", "lp_one"));
        host.Kernel.DisableByHand("lp_one");
        await Limit.Until(() => host.Kernel.LoadsOf("lp_one") == 6, () => host.Log.Text);
    }

    [Fact]
    public async Task Another_build_under_the_name_is_not_the_file()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Insmod(new Patch("lp_one", Build: 2));
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "held", "name-in-use");
        Assert.Equal("differs", host.View.Patch("lp_one")["Identity"]);
        Assert.Contains("its build id is", (string)host.View.Patch("lp_one")["Detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_module_that_the_kernel_keeps_out_because_of_a_patch_is_told_as_long_as_sysfs_agrees()
    {
        await using var host = new TestHost();
        var log = host.Write("/dev/kmsg", "");
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Write("/sys/kernel/livepatch/lp_one/nf_lab/patched", "0\n");
        const string line = "livepatch: patch 'lp_one' failed for module '{0}', refusing to load module '{0}'\n";

        // A program's words, and words about a module that the patch has nothing to do with, are not believed.
        await File.AppendAllTextAsync(log, "12,90,5000,-;" + string.Format(System.Globalization.CultureInfo.InvariantCulture, line, "nf_lab"), TestContext.Current.CancellationToken);
        host.Barrier();
        await File.AppendAllTextAsync(log, "4,91,5000,-;" + string.Format(System.Globalization.CultureInfo.InvariantCulture, line, "nf_other"), TestContext.Current.CancellationToken);
        host.Barrier();
        Assert.Equal("", host.View.Find("lp_one")!.Reason);

        await File.AppendAllTextAsync(log, "4,92,5000,-;" + string.Format(System.Globalization.CultureInfo.InvariantCulture, line, "nf_lab"), TestContext.Current.CancellationToken);
        await host.Becomes("lp_one", "active", "target-module-refused");
        Assert.True(host.Log.Says("lp_one", "target-module-refused"));
        Assert.Contains("nf_lab", (string)host.View.Patch("lp_one")["Detail"], StringComparison.Ordinal);
        Assert.Contains("nf_lab", (await Tool.Ctl(host, "show", "lp_one")).Exits(0).Output, StringComparison.Ordinal);

        host.Write("/sys/kernel/livepatch/lp_one/nf_lab/patched", "1\n");
        host.Barrier();
        await host.Becomes("lp_one", "active", "");
    }
}
