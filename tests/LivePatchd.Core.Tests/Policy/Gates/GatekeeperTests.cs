// The gates: what closes them, what opens them again, how long they settle, and when to ask again.
using CsCheck;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Gates;

namespace LivePatchd.Core.Tests.Policy.Gates;

public sealed class GatekeeperTests
{
    [Fact]
    public void AKernelWithoutPressureFigures_IsGatedByTheRest()
    {
        var machine = new Machine { HasPsi = false, PsiOff = true };
        for (var i = 0; i < 12; i++)
            machine.Run(10).Ask();
        var board = machine.Run(10).Ask();
        Assert.True(board.Open, board.Detail);
        Assert.Equal((true, false), (board.Of(Gate.IoPressure).Open, board.Of(Gate.IoPressure).Available));
        Assert.Contains("psi=1", board.Of(Gate.IoPressure).Detail, StringComparison.Ordinal);
        machine.Load = 100;
        Assert.Equal(Reason.LoadTooHigh, machine.Run(10).Ask().Reason);
        // What is there and cannot be read is another matter.
        Assert.Equal(Reason.GateUnavailable, new Machine { HasPsi = false, Settings = GateSettings.Default with { Unavailable = WhenUnavailable.Hold } }.Ask().Reason);
    }

    private static readonly GateSettings Off = new(
        new LoadMarks(1000, 1000), new PressureMarks(1, 1, 0.5), new PressureMarks(1, 1, 0.5), new PressureMarks(1, 1, 0.5),
        new NetworkMarks(1, NetworkMarks.MaxSqueezesPerSecond), [],
        TimeSpan.Zero, TimeSpan.Zero, WhenUnavailable.Hold);

    [Fact]
    public void An_idle_machine_waits_for_the_settle_time_and_no_longer()
    {
        var machine = new Machine();
        var first = machine.Now;
        var board = machine.Ask();
        Assert.Equal((Reason.GatesSettling, first.After(TimeSpan.FromSeconds(30))), (board.Reason, board.RetryAt));
        Assert.All(board.Gates, g => Assert.True(g.Open));
        Assert.Equal(Reason.GatesSettling, machine.Run(29).Ask().Reason);
        Assert.True(machine.Run(1).Ask().Open);
    }

    [Fact]
    public void Without_a_settle_time_two_readings_are_compared_all_the_same()
    {
        var machine = new Machine { Settings = GateSettings.Default with { Settle = TimeSpan.Zero } };
        var board = machine.Ask();
        Assert.Equal((Reason.GatesSettling, machine.Now.After(TimeSpan.FromSeconds(1))), (board.Reason, board.RetryAt));
        Assert.Equal((Reason.GatesSettling, machine.Now.After(TimeSpan.FromSeconds(1))), (machine.Run(0.5, ioFull: 1).Ask().Reason, board.RetryAt));
        Assert.Equal(Reason.IoPressure, machine.Run(0.5, ioFull: 1).Ask().Reason);
        var calm = new Machine { Settings = machine.Settings };
        calm.Ask();
        Assert.True(calm.Run(1).Ask().Open);
    }

    [Fact]
    public void With_every_mark_at_its_maximum_nothing_waits_and_nothing_is_missed()
    {
        var machine = new Machine { Settings = Off, HasPsi = false, Load = null };
        Assert.True(machine.Ask().Open);
        Assert.True(machine.Run(5, 1, 1, 1, 1).Ask().Open);
        Assert.Empty(PressureTrigger.For(Off));
    }

    /// <summary>Share of io some over ten seconds, after the one before: closes above 0.2, opens below 0.1.</summary>
    [Theory]
    [InlineData("0.19", "open")]
    [InlineData("0.21", "closed")]
    [InlineData("0.21 0.15", "closed closed")]
    [InlineData("0.21 0.11", "closed closed")]
    [InlineData("0.21 0.09", "closed open")]
    [InlineData("0.21 0.09 0.19 0.21 0.1", "closed open open closed closed")]
    public void Hysteresis_closes_high_and_opens_low(string shares, string expected)
    {
        var machine = new Machine().Settled();
        var seen = shares.Split(' ').Select(s =>
            machine.Run(10, ioSome: double.Parse(s, System.Globalization.CultureInfo.InvariantCulture)).Ask().Of(Gate.IoPressure).Open ? "open" : "closed");
        Assert.Equal(expected, string.Join(' ', seen));
    }

    [Fact]
    public void The_line_that_is_nearest_its_mark_is_shown()
    {
        var machine = new Machine().Settled();
        var gate = machine.Run(10, ioSome: 0.1, ioFull: 0.04).Ask().Of(Gate.IoPressure);
        Assert.Equal(0.04, gate.Value!.Value, 6);
        Assert.Equal((0.05, 0.025), (gate.CloseAt, gate.OpenBelow));
        Assert.Contains("some 10.0 %, full 4.0 % of 10.0 s", gate.Detail, StringComparison.Ordinal);
        Assert.Contains("some 1.0 % and 2.0 %", gate.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Gate.IoPressure, 0.0, 0.06, 0.0, 0.0, Reason.IoPressure)]
    [InlineData(Gate.CpuPressure, 0.0, 0.0, 0.61, 0.0, Reason.CpuPressure)]
    [InlineData(Gate.MemoryPressure, 0.0, 0.0, 0.0, 0.06, Reason.MemoryPressure)]
    public void Each_pressure_closes_its_gate(Gate gate, double ioSome, double ioFull, double cpuSome, double memoryFull, Reason reason)
    {
        var board = new Machine().Settled().Run(10, ioSome, ioFull, cpuSome, memoryFull).Ask();
        Assert.Equal(reason, board.Reason);
        Assert.Equal([gate], board.Gates.Where(g => !g.Open).Select(g => g.Gate));
        Assert.StartsWith(reason.Word() + ": ", board.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void After_pressure_the_settle_time_begins_anew()
    {
        var machine = new Machine().Settled();
        Assert.Equal(Reason.IoPressure, machine.Run(10, ioFull: 0.5).Ask().Reason);
        var calm = machine.Run(10).Ask();
        Assert.Equal((Reason.GatesSettling, machine.Now.After(TimeSpan.FromSeconds(30))), (calm.Reason, calm.RetryAt));
        Assert.Equal(machine.Now, calm.Of(Gate.IoPressure).Since);
        Assert.Equal(Reason.GatesSettling, machine.Run(29.9).Ask().Reason);
        Assert.True(machine.Run(0.1).Ask().Open);
    }

    [Fact]
    public void A_trigger_closes_its_gate_at_once_whatever_the_share()
    {
        var machine = new Machine().Settled();
        machine.Fired = [new PressureTrigger(Gate.IoPressure, Full: true, TimeSpan.FromMilliseconds(100))];
        var board = machine.Run(0.2).Ask();
        Assert.Equal(Reason.IoPressure, board.Reason);
        Assert.Equal(machine.Now, board.Of(Gate.IoPressure).Since);
        Assert.Contains("trigger fired", board.Detail, StringComparison.Ordinal);
        Assert.Equal(Reason.IoPressure, machine.Run(1.9).Ask().Reason);
        Assert.Equal(Reason.GatesSettling, machine.Run(0.1).Ask().Reason);
    }

    [Fact]
    public void A_trigger_before_the_second_reading_closes_too()
    {
        var machine = new Machine { Fired = [new PressureTrigger(Gate.CpuPressure, Full: false, TimeSpan.FromSeconds(1))] };
        Assert.Equal(Reason.CpuPressure, machine.Ask().Reason);
    }

    [Fact]
    public void A_reading_a_moment_after_another_is_not_used_alone()
    {
        var machine = new Machine().Settled();
        // All of a tenth of a second, but a hundredth of the window.
        Assert.True(machine.Run(0.1, ioSome: 1, ioFull: 1).Ask().Open);
    }

    [Fact]
    public void After_a_pause_the_whole_gap_counts()
    {
        var machine = new Machine().Settled();
        Assert.Equal(Reason.IoPressure, machine.Run(30, ioFull: 0.2).Run(30).Ask().Reason);
        Assert.Contains("of 60.0 s", machine.Ask().Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void However_often_it_is_asked_little_is_kept() => Gen.Double[0.001, 15].Array[1, 300].Sample(
        gaps =>
        {
            var machine = new Machine();
            foreach (var gap in gaps)
                machine.Run(gap).Ask();
            return machine.Kept <= 12;
        },
        iter: 200);

    [Fact]
    public void No_board_is_open_under_steady_pressure_and_every_calm_one_opens() => Gen.Select(Gen.Double[0, 1], Gen.Double[0.2, 14].Array[20, 40]).Sample(
        (share, gaps) =>
        {
            var machine = new Machine();
            GateBoard board = machine.Ask();
            foreach (var gap in gaps)
                board = machine.Run(gap, ioSome: share).Ask();
            if (share > 0.201)
                return board.Reason == Reason.IoPressure;
            while (machine.Run(10, ioSome: Math.Min(share, 0.09)).Ask() is { Open: false } closed)
            {
                if (closed.RetryAt is null || !machine.Now.IsBefore(closed.RetryAt.Value) || machine.Now.Monotonic > TimeSpan.FromHours(3))
                    return false;
            }
            return true;
        },
        iter: 500);

    [Fact]
    public void A_mark_of_nothing_opens_when_there_is_nothing()
    {
        var machine = new Machine { Settings = GateSettings.Default with { Io = new PressureMarks(0, 1, 0.5) } };
        machine.Settled();
        Assert.Equal(Reason.IoPressure, machine.Run(10, ioSome: 0.001).Ask().Reason);
        Assert.Equal(Reason.GatesSettling, machine.Run(10).Ask().Reason);
    }

    [Fact]
    public void Load_is_counted_per_cpu()
    {
        var machine = new Machine().Settled();
        machine.Load = 6.0;
        Assert.True(machine.Run(10).Ask().Open);
        machine.Load = 6.1;
        Assert.Equal(Reason.LoadTooHigh, machine.Run(10).Ask().Reason);
        machine.Load = 4.0;
        Assert.Equal(Reason.LoadTooHigh, machine.Run(10).Ask().Reason);
        machine.Load = 3.9;
        Assert.Equal(Reason.GatesSettling, machine.Run(10).Ask().Reason);
    }

    [Fact]
    public void Retransmits_close_the_network_gate_once_enough_was_sent()
    {
        var machine = new Machine().Settled();
        (machine.Sent, machine.Again) = (99, 50);
        Assert.True(machine.Run(10).Ask().Open);
        (machine.Sent, machine.Again) = (1099, 69);
        Assert.True(machine.Run(10).Ask().Open);
        (machine.Sent, machine.Again) = (2099, 90);
        var board = machine.Run(10).Ask();
        Assert.Equal(Reason.NetworkPressure, board.Reason);
        Assert.Equal((0.021, 0.02, 0.01, GateUnit.Share), Figures(board.Of(Gate.Network)));
        (machine.Sent, machine.Again) = (0, 0); // The counters were reset.
        Assert.Equal(Reason.GatesSettling, machine.Run(10).Ask().Reason);
    }

    [Fact]
    public void Squeezes_of_the_mean_cpu_close_the_network_gate_and_open_it_below_half_of_the_mark()
    {
        var machine = new Machine().Settled();
        machine.Squeezes += 4000; // 100 a second on each of 4 CPUs: at the mark, not above.
        Assert.True(machine.Run(10).Ask().Open);
        machine.Squeezes += 4040;
        var board = machine.Run(10).Ask();
        Assert.Equal((Reason.NetworkPressure, false), (board.Reason, board.Of(Gate.Network).Open));
        Assert.Equal((101, 100, 50, GateUnit.SqueezesPerSecond), Figures(board.Of(Gate.Network)));
        Assert.Contains("4040 softirq squeezes on 4 CPUs in 10.0 s", board.Detail, StringComparison.Ordinal);
        machine.Squeezes += 2040; // Between the marks: as it was.
        Assert.False(machine.Run(10).Ask().Of(Gate.Network).Open);
        machine.Squeezes += 1960;
        board = machine.Run(10).Ask();
        Assert.Equal((Reason.GatesSettling, machine.Now), (board.Reason, board.Of(Gate.Network).Since));
        machine.Squeezes = 7; // A CPU went, and its counter with it.
        Assert.True(machine.Run(10).Ask().Of(Gate.Network).Open);
    }

    [Fact]
    public void Of_the_networks_two_figures_the_one_nearer_to_its_mark_is_shown_and_either_closes()
    {
        var machine = new Machine().Settled();
        (machine.Sent, machine.Again, machine.Squeezes) = (1000, 15, 400);
        Assert.Equal((0.015, 0.02, 0.01, GateUnit.Share), Figures(machine.Run(10).Ask().Of(Gate.Network)));
        (machine.Sent, machine.Again, machine.Squeezes) = (2000, 16, 8000);
        var board = machine.Run(10).Ask();
        Assert.False(board.Of(Gate.Network).Open);
        Assert.Equal(190, Figures(board.Of(Gate.Network)).Value);
        machine.Squeezes += 1; // Calm again, but now the other figure is not: the gate was closed, so it must fall below its low mark.
        (machine.Sent, machine.Again) = (3000, 31);
        Assert.False(machine.Run(10).Ask().Of(Gate.Network).Open);
        (machine.Sent, machine.Again) = (4000, 40);
        Assert.True(machine.Run(10).Ask().Of(Gate.Network).Open);
    }

    [Theory]
    [InlineData(1, 100, GateUnit.SqueezesPerSecond)]
    [InlineData(0.02, NetworkMarks.MaxSqueezesPerSecond, GateUnit.Share)]
    [InlineData(1, NetworkMarks.MaxSqueezesPerSecond, null)]
    public void A_mark_at_its_highest_switches_that_part_of_the_network_gate_off(double retransmits, double squeezes, GateUnit? unit)
    {
        var machine = new Machine { Settings = GateSettings.Default with { Network = new(retransmits, squeezes) } }.Settled();
        (machine.Sent, machine.Again, machine.Squeezes) = (1000, retransmits < 1 ? 0UL : 1000, squeezes < 1000 ? 0UL : 1_000_000);
        var gate = machine.Run(10).Ask().Of(Gate.Network);
        Assert.Equal((true, unit), (gate.Open, gate.Unit));
    }

    [Fact]
    public void Without_softnet_stat_the_network_gate_is_unavailable_yet_retransmits_still_close_it()
    {
        var machine = new Machine { Squeezes = null };
        var board = machine.Ask();
        Assert.Equal((Reason.GateUnavailable, "/proc/net/softnet_stat is missing or cannot be read"), (board.Reason, board.Of(Gate.Network).Detail));
        machine.Settings = machine.Settings with { Unavailable = WhenUnavailable.Apply };
        machine.Settled();
        Assert.False(machine.Ask().Of(Gate.Network).Available);
        (machine.Sent, machine.Again) = (1000, 500);
        board = machine.Run(10).Ask();
        Assert.Equal((Reason.NetworkPressure, true), (board.Reason, board.Of(Gate.Network).Available));
        machine.Settings = machine.Settings with { Network = machine.Settings.Network with { SqueezesPerSecond = NetworkMarks.MaxSqueezesPerSecond }, Unavailable = WhenUnavailable.Hold };
        (machine.Sent, machine.Again) = (3000, 500);
        board = machine.Run(10).Ask();
        Assert.Equal((Reason.GatesSettling, true), (board.Reason, board.Of(Gate.Network).Available));
    }

    private static (double Value, double CloseAt, double OpenBelow, GateUnit Unit) Figures(GateState gate) =>
        (Math.Round(gate.Value!.Value, 6), gate.CloseAt!.Value, gate.OpenBelow!.Value, gate.Unit!.Value);

    [Fact]
    public void A_missing_source_holds_and_says_so_or_is_let_pass()
    {
        var machine = new Machine { HasPsi = false, Load = null };
        var board = machine.Ask();
        Assert.Equal((Reason.GateUnavailable, machine.Now.After(Gatekeeper.MissingRecheck)), (board.Reason, board.RetryAt));
        Assert.Contains("/proc/pressure/io", board.Of(Gate.IoPressure).Detail, StringComparison.Ordinal);
        Assert.False(board.Of(Gate.Load).Available);
        machine.Settings = machine.Settings with { Unavailable = WhenUnavailable.Apply };
        machine.Run(10).Ask();
        Assert.True(machine.Run(30).Ask().Open);
        Assert.False(machine.Ask().Of(Gate.Load).Available);
    }

    [Fact]
    public void Inhibitors_and_holds_close_until_they_end_and_only_a_date_is_waited_for()
    {
        var machine = new Machine().Settled();
        machine.Inhibitors = [new Inhibitor("backup", "a dump is running")];
        var board = machine.Ask();
        Assert.Equal((Reason.Inhibited, null, "inhibited: backup: a dump is running"), (board.Reason, board.RetryAt, board.Detail));
        machine.Inhibitors = [];
        machine.Holds = [new OperatorHold("freeze", null)];
        Assert.Equal((Reason.OperatorHold, null), (machine.Ask().Reason, machine.Ask().RetryAt));
        var until = machine.Now.After(TimeSpan.FromMinutes(3));
        machine.Holds = [new OperatorHold("freeze", until)];
        Assert.Equal(until, machine.Ask().RetryAt);
        Assert.Equal(Reason.GatesSettling, machine.Run(180).Ask().Reason);
    }

    [Fact]
    public void Uptime_is_waited_for()
    {
        var machine = new Machine { Settings = GateSettings.Default with { MinUptime = TimeSpan.FromHours(3) } };
        var board = machine.Ask();
        Assert.Equal((Reason.UptimeTooShort, TimeSpan.FromHours(3)), (board.Reason, board.RetryAt!.Value.Monotonic));
        Assert.Equal(Reason.GatesSettling, machine.Run(3600).Ask().Reason);
    }

    [Theory]
    [InlineData(true, 30)]
    [InlineData(false, 2)]
    public void Closed_gates_are_looked_at_again_seldom_when_the_kernel_rings(bool armed, int seconds)
    {
        var machine = new Machine { TriggersArmed = armed }.Settled();
        Assert.Equal(TimeSpan.FromSeconds(seconds), machine.Run(10, ioFull: 1).Ask().RetryAt!.Value.Since(machine.Now));
    }

    [Fact]
    public void A_closed_window_waits_for_its_hour_whatever_the_pressure()
    {
        var machine = new Machine { Wall = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero) };
        machine.Settings = GateSettings.Default with { Windows = [new(WeekDays.All, new TimeOnly(12, 30), TimeSpan.FromHours(1), "UTC")] };
        machine.Ask();
        var board = machine.Run(10, ioFull: 1).Ask();
        Assert.Equal(Reason.OutsideWindow, board.Reason);
        Assert.Equal(new DateTimeOffset(2026, 3, 4, 12, 30, 0, TimeSpan.Zero), board.RetryAt!.Value.Wall);
        machine.Run(20 * 60).Ask();
        machine.Run(9 * 60 + 50).Ask();
        Assert.Equal(Reason.GatesSettling, machine.Ask().Reason);
        Assert.True(machine.Run(30).Ask().Open);
    }

    [Fact]
    public void A_jump_of_the_clock_moves_windows_and_nothing_else()
    {
        var machine = new Machine().Settled();
        var board = machine.Run(10, ioFull: 1).Ask();
        machine.Wall = machine.Wall.AddYears(10);
        Assert.Equal(board.Gates.Select(g => (g.Open, g.Since.Monotonic)), machine.Ask().Gates.Select(g => (g.Open, g.Since.Monotonic)));
        machine.Wall = machine.Wall.AddYears(-20);
        Assert.Equal(TimeSpan.FromSeconds(30), machine.Ask().RetryAt!.Value.Since(machine.Now));
    }

    [Fact]
    public void Every_gate_has_a_reason_of_its_own()
    {
        var reasons = Enum.GetValues<Gate>().Select(GateReasons.Of).ToList();
        Assert.Equal(reasons.Count, reasons.Distinct().Count());
    }

    [Fact]
    public void Triggers_follow_the_marks()
    {
        Assert.Equal(
            [(Gate.IoPressure, "some 400000 2000000"), (Gate.IoPressure, "full 100000 2000000"), (Gate.CpuPressure, "some 1200000 2000000"), (Gate.MemoryPressure, "full 100000 2000000")],
            PressureTrigger.For(GateSettings.Default).Select(t => (t.Gate, t.Line)));
        var nothing = PressureTrigger.For(Off with { Io = new PressureMarks(0, 0.9999999, 0.5) });
        Assert.Equal(["some 1 2000000", "full 2000000 2000000"], nothing.Select(t => t.Line));
    }
}
