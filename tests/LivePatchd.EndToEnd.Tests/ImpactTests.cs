// What each load, transition and revert did is measured while it runs, kept across restarts, and shown on every surface.
using System.Text.Json;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Linux.Pressure;

namespace LivePatchd.EndToEnd.Tests;

[Collection("metrics")]
public sealed class ImpactTests
{
    private const string HistoryPath = "/var/lib/livepatchd/state/history";

    private static async Task<(TestHost Host, Machine Machine)> Started()
    {
        var machine = new Machine();
        var host = new TestHost { Pressure = machine.Read };
        await host.Start();
        return (host, machine);
    }

    [Fact]
    public async Task A_load_is_measured_in_its_phases_and_so_is_the_revert()
    {
        var (host, machine) = await Started();
        await using var _ = host;
        var patch = new Patch("lp_one");
        await host.Drop(machine, patch);

        var applied = await host.Entry(1);
        Assert.Equal((Operation.Apply, OperationResult.Done), (applied.Operation, applied.Result));
        Assert.Equal(patch.Digest, applied.Digest?.Hex);
        Assert.Equal([ImpactPhase.Load, ImpactPhase.Transition], applied.Impact.Phases.Select(p => p.Phase));
        Assert.NotNull(applied.Load);
        var during = applied.Impact.During!;
        Assert.Equal(1, during.Ratio(during.IoStall));
        Assert.True(during.SoftirqSqueezes > 0);
        Assert.Null(during.MemoryStall);
        Assert.Null(during.RetransmittedSegments);
        Assert.Null(applied.Impact.Before);
        Assert.NotNull(applied.Impact.After);
        Assert.Equal(during.Duration, applied.Impact.LongestStall);

        host.Remove("lp_one.ko");
        await host.Becomes("lp_one", "reverted");
        var reverted = await host.Entry(2);
        Assert.Equal((Operation.Revert, OperationResult.Done), (reverted.Operation, reverted.Result));
        Assert.Equal([ImpactPhase.Revert], reverted.Impact.Phases.Select(p => p.Phase));
        Assert.Equal(patch.Digest, reverted.Digest?.Hex);
        Assert.Empty(host.Entries("lp_other"));
        BusView.Refused(host.View.AskHistory("no/name"), "InvalidArgument");

        // At rest nobody samples.
        host.Barrier();
        var before = machine.Samples;
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal(before, machine.Samples);
    }

    [Fact]
    public async Task The_figures_are_those_of_the_kernels_files()
    {
        await using var host = new TestHost();
        using var reader = new PressureReader(host.Root);
        var samples = 0;
        host.Pressure = now =>
        {
            var sample = reader.Read(now);
            Interlocked.Increment(ref samples);
            return sample;
        };
        const string Before = "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n";
        var io = host.Write("/proc/pressure/io", Before);
        host.Write("/sys/kernel/warn_count", "3\n");
        await host.Start();
        host.Kernel.LoadGate.Reset();
        host.Drop(new Patch("lp_one"));
        await Limit.Until(() => Volatile.Read(ref samples) > 0);
        await using (var file = new FileStream(io, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
            file.Write(System.Text.Encoding.ASCII.GetBytes(Before.Replace("total=1000000\nfull", "total=1250000\nfull", StringComparison.Ordinal)));
        host.Kernel.LoadGate.Set();
        await host.Becomes("lp_one", "active");
        var during = (await host.Entry(1)).Impact.During!;
        Assert.Equal(TimeSpan.FromMilliseconds(250), during.IoStall);
        Assert.Equal(TimeSpan.Zero, during.IoFullStall);
        Assert.Equal(0UL, during.Warnings);
        Assert.Null(during.CpuStall);
        Assert.Null(during.OutSegments);
        Assert.Null(during.Oopses);
    }

    [Fact]
    public async Task It_is_on_the_bus_in_the_metrics_and_in_the_tools_output()
    {
        var (host, machine) = await Started();
        await using var _ = host;
        host.Write("/proc/sys/kernel/ftrace_enabled", "0\n");
        host.Drop(new Patch("lp_held"));
        await host.Becomes("lp_held", "held");
        Assert.Empty((Dictionary<string, object>)host.View.Patch("lp_held")["Impact"]);
        host.Write("/proc/sys/kernel/ftrace_enabled", "1\n");
        host.Remove("lp_held.ko");
        await host.Drop(machine, new Patch("lp_one"));
        await host.Entry(1);
        await Limit.Until(() => Impact(host).Count > 0);

        var impact = Impact(host);
        Assert.Equal("apply", impact["Operation"]);
        Assert.Equal("done", impact["Result"]);
        Assert.True((ulong)impact["DuringIoStallUsec"] > 0);
        Assert.False(impact.ContainsKey("DuringMemoryStallUsec"));
        Assert.False(impact.ContainsKey("BeforeUsec"));

        var metrics = (await Scrape.From(host.MetricsSocket)).Text;
        Assert.Contains("livepatchd_impact_io_stall_seconds{patch=\"lp_one\"}", metrics, StringComparison.Ordinal);
        Assert.Contains("livepatchd_impact_softirq_squeezes{patch=\"lp_one\"}", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("livepatchd_impact_memory_stall_seconds{", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("livepatchd_impact_tcp_retransmits{", metrics, StringComparison.Ordinal);

        using var show = JsonDocument.Parse((await Tool.Ctl(host, ["show", "lp_one", "--json"])).Exits(0).Output);
        var shown = show.RootElement.GetProperty("impact").GetProperty("impact");
        Assert.True(shown.GetProperty("during").GetProperty("io_stall_seconds").GetDouble() > 0);
        Assert.Equal(JsonValueKind.Null, shown.GetProperty("during").GetProperty("memory_stall_seconds").ValueKind);
        using var history = JsonDocument.Parse((await Tool.Ctl(host, ["history", "--json"])).Exits(0).Output);
        Assert.Equal("lp_one", history.RootElement.GetProperty("entries")[0].GetProperty("patch").GetString());
    }

    [Fact]
    public async Task A_reversal_and_a_refused_load_say_so()
    {
        var (host, _) = await Started();
        await using var __ = host;
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_busy"));
        await host.Becomes("lp_busy", "transitioning");
        host.Remove("lp_busy.ko");
        await Limit.Until(() => host.Kernel.Calls.Contains("disable lp_busy ok"), () => host.Log.Text);
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_busy", "reverted");
        var reversed = await host.Entry(1);
        Assert.Equal((Operation.Apply, OperationResult.Reversed), (reversed.Operation, reversed.Result));
        Assert.Equal([ImpactPhase.Load, ImpactPhase.Transition, ImpactPhase.Revert], reversed.Impact.Phases.Select(p => p.Phase));

        host.Kernel.Refuse("lp_bad", Errno.ENOMEM);
        host.Drop(new Patch("lp_bad"));
        await host.Becomes("lp_bad", "held");
        var failed = await host.Entry(2);
        Assert.Equal((Operation.Apply, OperationResult.Failed), (failed.Operation, failed.Result));
        Assert.Equal([ImpactPhase.Load], failed.Impact.Phases.Select(p => p.Phase));
    }

    [Fact]
    public async Task The_history_outlives_the_daemon_and_a_transition_is_measured_from_where_it_was_found()
    {
        var (host, _) = await Started();
        await using var __ = host;
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        await host.Entry(1);
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "transitioning");
        await host.Restart();
        await Limit.Until(() => host.Entries().Length == 1);
        await host.Becomes("lp_two", "transitioning");
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_two", "active");
        var found = await host.Entry(2);
        Assert.Equal((Operation.Apply, OperationResult.Done), (found.Operation, found.Result));
        Assert.Equal([ImpactPhase.Transition], found.Impact.Phases.Select(p => p.Phase));
        Assert.Null(found.Load);
    }

    [Fact]
    public async Task A_stop_right_after_the_end_writes_what_there_is()
    {
        var (host, _) = await Started();
        await using var __ = host;
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        await host.Restart();
        await Limit.Until(() => host.Entries().Length == 1);
        Assert.Equal(OperationResult.Done, host.Entries()[0].Result);
    }

    [Theory]
    [InlineData("{\"schema\":1,\"entr")]
    [InlineData("no history at all\n")]
    public async Task A_damaged_history_is_set_aside_and_a_new_one_begins(string damage)
    {
        await using var host = new TestHost { Pressure = new Machine().Read };
        host.Write(HistoryPath, damage);
        await host.Start();
        await Limit.Until(() => host.Log.Text.Contains("The history is damaged", StringComparison.Ordinal));
        Assert.Equal(damage, await File.ReadAllTextAsync(host.Root.Path(HistoryPath + ".damaged"), TestContext.Current.CancellationToken));
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        await host.Entry(1);
    }

    [Fact]
    public async Task A_history_that_cannot_be_written_costs_nothing_but_itself()
    {
        await using var host = new TestHost { Pressure = new Machine().Read };
        host.MakeDirectory(HistoryPath + "/in-the-way");
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        await host.Entry(1);
        await Limit.Until(() => host.Log.Text.Contains("The history cannot be written", StringComparison.Ordinal));
    }

    private static Dictionary<string, object> Impact(TestHost host) => (Dictionary<string, object>)host.View.Patch("lp_one")["Impact"];
}
