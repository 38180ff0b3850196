// The gates on a machine whose sources come, go, or are of one CPU.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Policy.Gates;

public sealed class SourceTests
{
    [Fact]
    public void A_source_that_appears_later_is_compared_before_anything_is_changed()
    {
        var machine = new Machine { HasPsi = false, Settings = GateSettings.Default with { Unavailable = WhenUnavailable.Apply } }.Settled();
        machine.HasPsi = true;
        var board = machine.Run(10).Ask();
        Assert.Equal((Reason.GatesSettling, machine.Now.After(TimeSpan.FromSeconds(1))), (board.Reason, board.RetryAt));
        Assert.Equal(Reason.IoPressure, machine.Run(1, ioFull: 1).Ask().Reason);
    }

    [Fact]
    public void Squeezes_close_the_network_gate_where_segments_are_not_counted()
    {
        var machine = new Machine { HasTcp = false, Settings = GateSettings.Default with { Unavailable = WhenUnavailable.Apply } }.Settled();
        Assert.Equal((false, "/proc/net/snmp is missing or cannot be read"), (machine.Ask().Of(Gate.Network).Available, machine.Ask().Of(Gate.Network).Detail));
        machine.Squeezes += 4040;
        var gate = machine.Run(10).Ask().Of(Gate.Network);
        Assert.Equal((false, true, GateUnit.SqueezesPerSecond), (gate.Open, gate.Available, gate.Unit));
        Assert.Equal("4040 softirq squeezes on 4 CPUs in 10.0 s", gate.Detail);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void One_cpu_bears_all_squeezes_and_no_cpu_counts_as_one(int cpus)
    {
        var machine = new Machine { Cpus = cpus, Load = 0 }.Settled();
        machine.Squeezes += 1010;
        var gate = machine.Run(10).Ask().Of(Gate.Network);
        Assert.Equal((false, 101.0), (gate.Open, Math.Round(gate.Value!.Value, 6)));
        Assert.Contains("1010 softirq squeezes on 1 CPU in 10.0 s", gate.Detail, StringComparison.Ordinal);
    }
}
