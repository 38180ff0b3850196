// The gates on the bus and in the tool: figures that close and open them, sources that are missing, nobody flooded with signals.
using LivePatchd.Core.Model;

namespace LivePatchd.EndToEnd.Tests;

[Collection("metrics")]
public sealed class GateTests
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private static async Task<TestHost> Host(string gates)
    {
        var host = new TestHost();
        host.Figures();
        host.Configure("", gates);
        await host.Start();
        host.Barrier();
        return host;
    }

    [Fact]
    public async Task Pressure_closes_its_gate_and_calm_opens_it_again_after_the_settle_time()
    {
        await using var host = await Host("settle: 20s");
        using var view = host.Connect();
        var signals = new List<(string Gate, bool Open, string Reason)>();
        Assert.True(view.Client.AddMatch(BusNames.Service, $"interface='{BusNames.Manager}',member='GateChanged'", (reader, _, _) =>
            signals.Add((reader.ReadString(), reader.ReadBool(), reader.ReadString()))).IsOk);

        Assert.True((bool)host.View.Gate("io-pressure")["Open"]);
        Pass(host, Window, ioStall: TimeSpan.FromSeconds(8));
        var io = host.View.Gate("io-pressure");
        Assert.Equal((false, true, "io-pressure"), ((bool)io["Open"], (bool)io["Available"], (string)io["Reason"]));
        Assert.InRange((double)io["Value"], 0.3, 1);
        Assert.Equal((0.2, 0.1), ((double)io["CloseAt"], (double)io["OpenBelow"]));
        Assert.Equal((false, "io-pressure"), ((bool)host.View.Manager()["GateOpen"], (string)host.View.Manager()["GateReason"]));
        Assert.Equal(0, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_gate_open", "gate=\"io-pressure\""));
        Assert.Equal(1, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_gate_open", "gate=\"load\""));

        Pass(host, 2 * Window, ioStall: TimeSpan.FromSeconds(8));
        Assert.True((bool)host.View.Gate("io-pressure")["Open"]);
        Assert.Equal((false, "gates-settling"), ((bool)host.View.Manager()["GateOpen"], (string)host.View.Manager()["GateReason"]));
        Assert.NotEqual(0UL, host.View.Manager()["GateRetryAtUsec"]);
        Pass(host, 2 * Window, ioStall: TimeSpan.FromSeconds(8));
        Assert.Equal((true, ""), ((bool)host.View.Manager()["GateOpen"], (string)host.View.Manager()["GateReason"]));
        view.Drain();
        Assert.Equal([("io-pressure", false, "io-pressure"), ("io-pressure", true, "")], signals);
    }

    [Fact]
    public async Task Squeezes_close_the_network_gate_with_their_figure_and_its_unit()
    {
        await using var host = await Host("settle: 0s, network: {max-squeezes-per-second: 40}");
        Assert.Equal(("load-per-cpu", true), ((string)host.View.Gate("load")["Unit"], (bool)host.View.Gate("network")["Open"]));
        Pass(host, Window, squeezes: 4000);
        var network = host.View.Gate("network");
        Assert.Equal((false, "network-pressure", "squeezes-per-second"), ((bool)network["Open"], (string)network["Reason"], (string)network["Unit"]));
        Assert.InRange((double)network["Value"], 200, 4000);
        Assert.Equal((40.0, 20.0), ((double)network["CloseAt"], (double)network["OpenBelow"]));
        Pass(host, 2 * Window, squeezes: 4000);
        Assert.True((bool)host.View.Gate("network")["Open"]);
    }

    [Fact]
    public async Task Figures_that_move_within_their_marks_are_shown_and_not_announced()
    {
        await using var host = await Host("settle: 0s");
        Pass(host, Window);
        using var view = host.Connect();
        var announced = 0;
        Assert.True(view.Client.AddMatch(BusNames.Service, $"member='PropertiesChanged',path_namespace='{BusNames.GatePrefix}'", (_, _, _) => announced++).IsOk);
        for (var i = 1; i <= 5; i++)
        {
            Pass(host, Window, ioStall: TimeSpan.FromSeconds(i), load: i / 10.0);
            Assert.Equal(i / 10.0, (double)host.View.Gate("load")["Value"], 3);
            Assert.InRange((double)host.View.Gate("io-pressure")["Value"], 0.01, 0.2);
        }
        view.Drain();
        Assert.Equal(0, announced);
    }

    [Fact]
    public async Task AReload_WithOtherMarks_ShowsThemAtOnce()
    {
        await using var host = new TestHost();
        host.Figures();
        host.Configure("", "settle: 0s, load: {max-per-cpu: 7}");
        await host.Start();
        host.Barrier();
        Assert.Equal(7.0, (double)host.View.Gate("load")["CloseAt"]);
        host.Configure("", "settle: 0s, load: {max-per-cpu: 3}");
        BusView.Value(host.View.Reload());
        Assert.Equal(3.0, (double)host.View.Gate("load")["CloseAt"]);
    }

    [Theory]
    [InlineData("hold", false, true)]
    [InlineData("hold", true, false)]
    [InlineData("apply", true, true)]
    public async Task A_kernel_without_pressure_figures_is_gated_by_the_rest_and_the_gate_says_so(string policy, bool broken, bool open)
    {
        await using var host = new TestHost();
        host.Figures();
        Directory.Delete(host.Root.Path("/proc/pressure"), recursive: true);
        // There, and not to be read: that is a missing source, and the policy decides.
        if (broken)
            host.MakeDirectory("/proc/pressure/io");
        host.Configure("", $"settle: 0s, unavailable: {policy}");
        await host.Start();
        host.Barrier();
        var io = host.View.Gate("io-pressure");
        Assert.Equal((open, false, open ? "" : "gate-unavailable"), ((bool)io["Open"], (bool)io["Available"], (string)io["Reason"]));
        Assert.Contains("/proc/pressure/io", (string)io["Detail"], StringComparison.Ordinal);
        Assert.Equal(-1.0, (double)io["Value"]);
        Assert.True((bool)host.View.Gate("load")["Available"]);
        Assert.Contains(", no source", (await Tool.Ctl(host, "gates")).Exits(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_nothing_happens_the_figures_are_kept_fresh()
    {
        await using var host = await Host("settle: 0s");
        host.Figures(load: 0.7);
        // The loop reads again by itself, every ten seconds.
        await Limit.Until(() => (double)host.View.Gate("load")["Value"] is > 0.69 and < 0.71);
    }

    /// <summary>Time goes by with these figures at its end, and the daemon has looked since.</summary>
    private static void Pass(TestHost host, TimeSpan time, TimeSpan ioStall = default, double load = 0.1, uint squeezes = 0)
    {
        host.Figures(ioStall, load, squeezes);
        host.Time.Skip(time);
        host.Barrier();
    }
}
