// The daemon as a process: its words to systemd, its signals, its exit codes, its command line.
using System.Globalization;
using System.Text.RegularExpressions;
using LivePatchd.Core.Model;

namespace LivePatchd.EndToEnd.Tests;

public sealed partial class ProcessTests
{
    [Fact]
    public async Task Systemd_hears_of_start_status_life_reload_and_stop()
    {
        await using var host = new TestHost();
        host.Drop(new Patch("lp_one"));
        using var daemon = new DaemonProcess(host, watchdog: TimeSpan.FromSeconds(1));
        await daemon.Notifies(m => m == "READY=1");
        await daemon.Notifies(m => m.StartsWith("STATUS=Observing (observe-mode): 1 held", StringComparison.Ordinal));
        await Limit.Until(() => daemon.Count("WATCHDOG=1") > 3, () => daemon.Said);
        await Limit.Until(() => host.View.List().IsOk);
        await host.Becomes("lp_one", "held", "observe-mode");

        var before = daemon.Count("READY=1");
        await daemon.Signal("HUP");
        await daemon.Notifies(m => m == "RELOADING=1");
        await Limit.Until(() => daemon.Count("READY=1") == before + 1, () => daemon.Said);
        Assert.Contains(daemon.Messages, m => MonotonicUsec().IsMatch(m));
        Assert.Equal(2UL, host.View.Manager()["ConfigGeneration"]);

        await daemon.Signal("TERM");
        await daemon.Exits(0);
        await daemon.Notifies(m => m == "STOPPING=1");
        Assert.Empty(host.Kernel.Calls);
    }

    [Fact]
    public async Task A_bad_configuration_is_refused_by_a_reload_and_the_daemon_lives_on()
    {
        await using var host = new TestHost();
        using var daemon = new DaemonProcess(host);
        await daemon.Notifies(m => m == "READY=1");
        await Limit.Until(() => host.View.List().IsOk);
        host.Configure("mode: perhaps\n");
        var before = daemon.Count("READY=1");
        await daemon.Signal("HUP");
        await Limit.Until(() => daemon.Count("READY=1") == before + 1, () => daemon.Said);
        await Limit.Until(() => ((string[])host.View.Manager()["ConfigErrors"]).Length == 1);
        await daemon.Signal("TERM");
        await daemon.Exits(0);
    }

    [Theory]
    [InlineData(true, "The running kernel has no livepatch support.")]
    [InlineData(false, "The daemon lacks CAP_SYS_MODULE.")]
    public async Task On_an_unsupported_host_the_status_says_why_and_the_daemon_stays(bool noLivepatch, string sentence)
    {
        await using var host = new TestHost();
        if (noLivepatch)
            Directory.Delete(host.Root.Path("/sys/kernel/livepatch"));
        else
            host.Write("/proc/self/status", "Name:\tlivepatchd\nCapEff:\t0000000000000000\n");
        using var daemon = new DaemonProcess(host);
        await daemon.Notifies(m => m == "READY=1");
        await daemon.Notifies(m => m.StartsWith("STATUS=Unsupported: " + sentence, StringComparison.Ordinal));
        await Limit.Until(() => host.View.List().IsOk);
        await daemon.Signal("TERM");
        await daemon.Exits(0);
    }

    [Fact]
    public async Task Without_a_bus_the_daemon_is_ready_and_stops_cleanly()
    {
        await using var host = new TestHost(startBus: false);
        using var daemon = new DaemonProcess(host);
        await daemon.Notifies(m => m == "READY=1");
        await daemon.Notifies(m => m.StartsWith("STATUS=", StringComparison.Ordinal) && m.EndsWith("; bus-unavailable", StringComparison.Ordinal));
        await daemon.Signal("TERM");
        await daemon.Exits(0);
    }

    /// <summary>Stopped, a bus takes connections and answers nothing.</summary>
    private static async Task Signal(PrivateBus bus, string name) =>
        (await Tool.Run(["kill", "-" + name, bus.Id.ToString(CultureInfo.InvariantCulture)])).Exits(0);

    [Fact]
    public async Task Ready_BusIsSlow_SaidWhenTheDaemonCanBeAsked()
    {
        await using var host = new TestHost();
        using var bus = host.Bus.Connect();
        await Signal(host.Bus, "STOP");
        using var daemon = new DaemonProcess(host);
        await daemon.Notifies(m => m.StartsWith("STATUS=", StringComparison.Ordinal));
        await Signal(host.Bus, "CONT");
        await daemon.Notifies(m => m == "READY=1");
        var answer = bus.GetAll(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, Limit.Call);
        Assert.True(answer.IsOk, answer.Error?.ToString());
        await daemon.Signal("TERM");
        await daemon.Exits(0);
    }

    [Fact]
    public async Task Ready_BusNeverAnswers_SaidAllTheSame()
    {
        await using var host = new TestHost();
        await Signal(host.Bus, "STOP");
        using var daemon = new DaemonProcess(host);
        await daemon.Notifies(m => m == "READY=1");
        await Signal(host.Bus, "CONT");
        await daemon.Signal("TERM");
        await daemon.Exits(0);
    }

    [Fact]
    public async Task A_supervisor_that_does_not_read_holds_no_stop_up()
    {
        await using var host = new TestHost();
        using var daemon = new DaemonProcess(host);
        await daemon.Notifies(m => m == "READY=1");
        daemon.StopReading();
        await daemon.Signal("TERM");
        await daemon.Exits(0);
    }

    [Fact]
    public async Task A_second_instance_is_refused_and_the_first_is_not_disturbed()
    {
        await using var host = new TestHost();
        using var first = new DaemonProcess(host);
        await first.Notifies(m => m == "READY=1");
        using var second = new DaemonProcess(host);
        await second.Exits(1);
        await Limit.Until(() => host.Log.Count("Another livepatchd holds the lock") == 1, () => host.Log.Text);
        Assert.Contains(host.Log.Records, r => r.GetValueOrDefault("LIVEPATCH_REASON") == "another-instance");
        await Limit.Until(() => host.View.List().IsOk);
        await first.Signal("KILL");
        await first.Gone();

        // The lock went with the process.
        using var third = new DaemonProcess(host);
        await third.Notifies(m => m == "READY=1");
        await third.Signal("TERM");
        await third.Exits(0);
        host.Log.Expects("Another livepatchd holds the lock");
    }

    [Fact]
    public async Task Told_to_stop_while_it_starts_it_ends_in_good_order()
    {
        await using var host = new TestHost();
        for (var i = 0; i < 8; i++)
        {
            using var daemon = new DaemonProcess(host);
            await Limit.Until(() => host.Log.Count("in force") == i + 1, () => daemon.Said);
            await Task.Delay(10 * i, TestContext.Current.CancellationToken);
            await daemon.Signal("TERM");
            await daemon.Exits(0);
            await Limit.Until(() => host.Log.Count("Stopping; the kernel is left as it is") == i + 1, () => host.Log.Text);
        }
    }

    [Fact]
    public async Task Told_to_reload_while_it_ends_it_ends_in_good_order()
    {
        await using var host = new TestHost();
        for (var i = 0; i < 5; i++)
        {
            using var daemon = new DaemonProcess(host);
            await daemon.Notifies(m => m == "READY=1");
            var hangups = Tool.Run(["sh", "-c", $"while kill -HUP {daemon.Id} 2>/dev/null; do sleep 0.001; done"]);
            await daemon.Signal("TERM");
            await daemon.Exits(0);
            await hangups;
        }
    }

    [Fact]
    public async Task Switched_off_the_daemon_does_not_start_and_that_is_no_failure()
    {
        await using var host = new TestHost();
        host.Write("/proc/cmdline", "quiet livepatchd.mode=off\n");
        using var daemon = new DaemonProcess(host);
        await daemon.Exits(0);
        Assert.DoesNotContain("READY=1", daemon.Messages);
    }

    [Fact]
    public async Task The_command_line_answers()
    {
        await using var host = new TestHost(startBus: false);
        Assert.Matches("^livepatchd [0-9]+\\.[0-9]+\\.[0-9]+\n$", (await Tool.Daemon("--version")).Exits(0).Output);
        Assert.Contains("--check-config", (await Tool.Daemon("--help")).Exits(0).Output, StringComparison.Ordinal);
        Assert.Equal("livepatchd: --json goes with --check-config or --cat-config; see livepatchd --help\n", (await Tool.Daemon("--json")).Exits(2).Error);
        Assert.Equal("livepatchd: unknown argument \"--frobnicate\"; see livepatchd --help\n", (await Tool.Daemon("--frobnicate")).Exits(2).Error);
        Assert.Contains("absolute", (await Tool.Daemon("--root", "relative")).Exits(2).Error, StringComparison.Ordinal);
        Assert.Contains("needs a value", (await Tool.Daemon("--root")).Exits(2).Error, StringComparison.Ordinal);

        Assert.Equal("", (await Tool.Daemon("--check-config", "--root", host.Directory)).Exits(0).Output);
        host.Configure("mode: sometimes\ntransition: {report-after: 15}\nmodee: apply\n");
        var lines = (await Tool.Daemon("--check-config", "--root", host.Directory)).Exits(1).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var file = host.Root.Path("/etc/livepatchd/livepatchd.yaml");
        Assert.Equal([$"{file}:2: mode:", $"{file}:3: transition.report-after:", $"{file}:4: modee:"], lines.Select(l => string.Join(':', l.Split(':')[..3]) + ":").Order());
    }

    [GeneratedRegex("^MONOTONIC_USEC=[0-9]+$")]
    private static partial Regex MonotonicUsec();
}
