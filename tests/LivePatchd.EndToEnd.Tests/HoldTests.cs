// Holds of people and inhibitors of programs: what ends them and, above all, what does not.
using System.Diagnostics;

namespace LivePatchd.EndToEnd.Tests;

public sealed class HoldTests
{
    private const string HoldPath = "/var/lib/livepatchd/state/hold";

    [Fact]
    public async Task A_hold_lasts_through_restarts_and_reboots_until_it_is_taken_back()
    {
        await using var host = await TestHost.Started();
        BusView.Value(host.View.Hold("the array is being rebuilt"));
        Assert.Equal(("the array is being rebuilt", 0UL), Held(host));
        Assert.Equal((false, "operator-hold"), Gate(host));
        var since = host.View.Manager()["HoldSinceUsec"];
        await host.Restart();
        Assert.Equal(("the array is being rebuilt", 0UL), Held(host));
        Assert.Equal(since, host.View.Manager()["HoldSinceUsec"]);
        host.Boot("22222222-2222-4222-8222-222222222222");
        host.Kernel = new TestKernel(host.Root);
        await host.Restart();
        Assert.Equal((false, "operator-hold"), Gate(host));
        BusView.Value(host.View.Unhold());
        Assert.Equal(("", 0UL), Held(host));
        Assert.Equal((true, ""), Gate(host));
        BusView.Value(host.View.Unhold());
        await host.Restart();
        Assert.Equal((true, ""), Gate(host));
    }

    [Fact]
    public async Task A_hold_with_an_end_ends_then_and_not_before()
    {
        await using var host = await TestHost.Started();
        var until = host.Time.GetUtcNow() + TimeSpan.FromHours(2);
        BusView.Value(host.View.Hold("until tonight", until));
        Assert.InRange((ulong)host.View.Manager()["HoldUntilUsec"], Microseconds(until) - 1_000_000, Microseconds(until) + 1_000_000);
        await host.Restart();
        host.Time.Skip(TimeSpan.FromMinutes(115));
        host.Barrier();
        Assert.Equal((false, "operator-hold"), Gate(host));
        host.Time.Skip(TimeSpan.FromMinutes(6));
        host.Barrier();
        Assert.Equal((true, ""), Gate(host));
        Assert.False(File.Exists(host.Root.Path(HoldPath)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00000000 {}\n")]
    [InlineData("something else\n")]
    public async Task A_damaged_file_counts_as_a_hold_until_somebody_takes_it_back(string content)
    {
        await using var host = new TestHost();
        host.Write(HoldPath, content);
        await host.Start();
        Assert.Contains("is damaged", Held(host).Why, StringComparison.Ordinal);
        Assert.Equal((false, "operator-hold"), Gate(host));
        await host.Restart();
        Assert.Equal((false, "operator-hold"), Gate(host));
        (await Tool.Ctl(host, "unhold")).Exits(0);
        Assert.Equal((true, ""), Gate(host));
        Assert.False(File.Exists(host.Root.Path(HoldPath)));
    }

    [Fact]
    public async Task A_hold_that_cannot_be_kept_is_refused()
    {
        await using var host = await TestHost.Started();
        host.MakeDirectory(HoldPath);
        BusView.Refused(host.View.Hold("why"), "org.freedesktop.DBus.Error.Failed", HoldPath);
        Assert.Equal(("", 0UL), Held(host));
    }

    [Fact]
    public async Task Wrong_words_and_times_are_refused()
    {
        await using var host = await TestHost.Started();
        BusView.Refused(host.View.Hold("  "), "InvalidArgument");
        BusView.Refused(host.View.Hold("why", DateTimeOffset.UnixEpoch + TimeSpan.FromDays(1)), "InvalidArgument", "past");
        BusView.Refused(host.View.Inhibit("", "why"), "InvalidArgument");
        BusView.Refused(host.View.Inhibit("who", ""), "InvalidArgument");
        Assert.Equal((true, ""), Gate(host));
    }

    [Fact]
    public async Task An_inhibitor_ends_when_its_descriptor_is_closed()
    {
        await using var host = await TestHost.Started();
        var first = BusView.Value(host.View.Inhibit("backup", "reads the disks"));
        Assert.Equal((false, "inhibited"), Gate(host, "inhibitor"));
        var second = BusView.Value(host.View.Inhibit("benchmark", "measures"));
        Assert.Equal(["backup", "benchmark"], Inhibitors(host).Select(i => (string)i[0]));
        first.Dispose();
        await Limit.Until(() => Inhibitors(host).Count() == 1, () => host.Log.Text);
        Assert.Equal((false, "inhibited"), Gate(host, "inhibitor"));
        // Nobody waits for the loop's next reading.
        second.Dispose();
        await Limit.Until(() => Gate(host, "inhibitor") == (true, ""), () => host.Log.Text);
        Assert.Empty(Inhibitors(host));
    }

    [Fact]
    public async Task An_inhibitor_ends_with_the_process_that_holds_it()
    {
        await using var host = await TestHost.Started();
        var info = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "livepatchctl.dll"), "inhibit", "--why", "no disturbance", "--", "sleep", "1000"]);
        info.Environment["LIVEPATCHD_BUS_ADDRESS"] = host.Bus.Address;
        using var client = Process.Start(info)!;
        await Limit.Until(() => Inhibitors(host).Any());
        var held = Inhibitors(host).Single();
        Assert.Equal(("sleep", "no disturbance", 0U), ((string)held[0], (string)held[1], (uint)held[2]));
        // The tool has become the command: nobody else keeps the descriptor.
        await Limit.Until(() => File.ReadAllText($"/proc/{client.Id}/comm") == "sleep\n");
        host.Barrier();
        Assert.Equal((false, "inhibited"), Gate(host, "inhibitor"));
        client.Kill();
        await Limit.Until(() => Gate(host, "inhibitor") == (true, ""), () => host.Log.Text);
        Assert.Empty(Inhibitors(host));
    }

    [Fact]
    public async Task What_a_holder_writes_into_its_descriptor_changes_nothing()
    {
        await using var host = await TestHost.Started();
        using var token = BusView.Value(host.View.Inhibit("writer", "writes"));
        using (var stream = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(token.DangerousGetHandle(), ownsHandle: false), FileAccess.Write))
            stream.Write("hello"u8);
        host.Barrier();
        Assert.Equal((false, "inhibited"), Gate(host, "inhibitor"));
        Assert.Single(Inhibitors(host));
    }

    [Fact]
    public async Task Inhibitors_are_bounded_and_leave_nothing_behind()
    {
        await using var host = await TestHost.Started();
        var before = Directory.GetFiles("/proc/self/fd").Length;
        for (var round = 0; round < 3; round++)
        {
            var tokens = Enumerable.Range(0, 8).Select(i => BusView.Value(host.View.Inhibit($"program {i}", "why"))).ToList();
            BusView.Refused(host.View.Inhibit("one more", "why"), "LimitsExceeded");
            using (var other = host.Connect())
                BusView.Value(other.Inhibit("another", "why")).Dispose();
            tokens.ForEach(t => t.Dispose());
            await Limit.Until(() => !Inhibitors(host).Any(), () => host.Log.Text);
        }
        await Limit.Until(() => Directory.GetFiles("/proc/self/fd").Length <= before + 1);
    }

    [Fact]
    public async Task A_restart_of_the_daemon_ends_inhibitors_and_their_holders_can_tell()
    {
        await using var host = await TestHost.Started();
        using var token = BusView.Value(host.View.Inhibit("backup", "reads the disks"));
        await host.Restart();
        Assert.Empty(Inhibitors(host));
        Assert.Equal((true, ""), Gate(host, "inhibitor"));
        using var stream = new FileStream(token, FileAccess.Write, bufferSize: 0);
        Assert.Throws<IOException>(() => stream.Write("x"u8));
    }

    private static (string Why, ulong Until) Held(TestHost host) =>
        ((string)host.View.Manager()["HoldWhy"], (ulong)host.View.Manager()["HoldUntilUsec"]);

    private static (bool Open, string Reason) Gate(TestHost host, string name = "hold")
    {
        var gate = host.View.Gate(name);
        return ((bool)gate["Open"], (string)gate["Reason"]);
    }

    private static IEnumerable<object[]> Inhibitors(TestHost host) => ((object[])host.View.Manager()["Inhibitors"]).Cast<object[]>();

    private static ulong Microseconds(DateTimeOffset time) => (ulong)(time - DateTimeOffset.UnixEpoch).TotalMicroseconds;
}
