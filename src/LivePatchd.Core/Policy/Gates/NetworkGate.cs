// The gate on the network: segments that had to be sent again, and receive work that was cut short because its time was up.
using System.Globalization;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

internal static class NetworkGate
{
    /// <summary>With fewer segments a single lost one would look like trouble.</summary>
    public const ulong FewestSegments = 100;

    /// <summary>A quiet network is an open gate.</summary>
    public static Verdict Ask(GateMemory memory, GateQuestion asked, bool wasOpen)
    {
        var marks = asked.Settings.Network;
        var (retransmits, squeezes) = (marks.RetransmitRatio < 1, marks.SqueezesPerSecond < NetworkMarks.MaxSqueezesPerSecond);
        if (!retransmits && !squeezes)
            return Verdict.SwitchedOff;
        var again = Retransmits(memory, asked);
        var cut = Squeezes(memory, asked);
        var unmeasured = (retransmits && again is null && asked.Sample.Tcp is not null) || (squeezes && cut is null && asked.Sample.SoftirqSqueezes is not null);
        var open = again?.Figure.Open(wasOpen) != false && cut?.Figure.Open(wasOpen) != false;
        // What is there may close the gate; only where it does not, what is missing decides.
        var missing = retransmits && asked.Sample.Tcp is null ? "/proc/net/snmp"
            : squeezes && asked.Sample.SoftirqSqueezes is null ? "/proc/net/softnet_stat"
            : null;
        if (open && missing is not null)
            return Verdict.NoSource(missing) with { Unmeasured = unmeasured };
        if (open && unmeasured)
            return new(wasOpen, "first reading") { Unmeasured = true };
        var worst = cut is { } c && (again is not { } a || c.Figure.Excess > a.Figure.Excess) ? c : again!.Value;
        return new(open, string.Join(", ", new[] { again?.Detail, cut?.Detail }.OfType<string>()))
        {
            Value = worst.Judged ? worst.Figure.Value : null,
            CloseAt = worst.Figure.CloseAt,
            OpenBelow = worst.Figure.OpenBelow,
            Unit = worst.Unit,
        };
    }

    private static Measured? Retransmits(GateMemory memory, GateQuestion asked)
    {
        if (asked.Sample.Tcp is not { } now || memory.Base(asked.Now, s => s.Tcp is not null) is not { } earlier)
            return null;
        var mark = asked.Settings.Network.RetransmitRatio;
        var sent = Since(earlier.Tcp!.Value.OutSegments, now.OutSegments);
        var again = Since(earlier.Tcp.Value.RetransmittedSegments, now.RetransmittedSegments);
        var enough = sent >= FewestSegments;
        return new(
            Figure(enough ? Math.Min(1, (double)again / sent) : 0, mark) with { Off = mark >= 1 },
            GateUnit.Share,
            enough,
            $"{again} of {sent} segments sent again in {Hysteresis.Seconds(asked.Now.Since(earlier.At))}{(enough ? "" : ": too few to judge")}");
    }

    private static Measured? Squeezes(GateMemory memory, GateQuestion asked)
    {
        if (asked.Sample.SoftirqSqueezes is not { } now || memory.Base(asked.Now, s => s.SoftirqSqueezes is not null) is not { } earlier)
            return null;
        var mark = asked.Settings.Network.SqueezesPerSecond;
        var window = asked.Now.Since(earlier.At);
        var count = Since(earlier.SoftirqSqueezes!.Value, now);
        var cpus = Math.Max(1, asked.Sample.OnlineCpus);
        return new(
            Figure(count / window.TotalSeconds / cpus, mark) with { Off = mark >= NetworkMarks.MaxSqueezesPerSecond },
            GateUnit.SqueezesPerSecond,
            Judged: true,
            string.Create(CultureInfo.InvariantCulture, $"{count} softirq squeezes on {cpus} {(cpus == 1 ? "CPU" : "CPUs")} in {Hysteresis.Seconds(window)}"));
    }

    private static MarkedFigure Figure(double value, double mark) => new(value, mark, mark * GateSettings.DefaultReopenRatio);

    // A counter that wrapped or was reset says nothing; the next reading starts from its new value.
    private static ulong Since(ulong before, ulong now) => now >= before ? now - before : 0;

    private readonly record struct Measured(MarkedFigure Figure, GateUnit Unit, bool Judged, string Detail);
}
