// The gates on the load average and on the network.
using System.Globalization;
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Policy.Gates;

internal static class CounterGates
{
    /// <summary>A load per CPU that no machine reaches: the mark that switches the gate off.</summary>
    public const double MaxLoadRatio = 1000;

    /// <summary>With fewer segments a single lost one would look like trouble.</summary>
    public const ulong FewestSegments = 100;

    public static Verdict Load(GateQuestion asked, bool wasOpen)
    {
        var marks = asked.Settings.Load;
        if (marks.MaxPerCpuRatio >= MaxLoadRatio)
            return Verdict.SwitchedOff;
        if (asked.Sample.Load1 is not { } load)
            return Verdict.NoSource("/proc/loadavg");
        var cpus = Math.Max(1, asked.Sample.OnlineCpus);
        return new(
            Hysteresis.Open(wasOpen, load / cpus, marks.MaxPerCpuRatio, marks.ReopenBelowRatio),
            string.Create(CultureInfo.InvariantCulture, $"load {load:0.00} on {cpus} {(cpus == 1 ? "CPU" : "CPUs")}"))
        {
            ValueRatio = load / cpus,
            CloseAtRatio = marks.MaxPerCpuRatio,
            OpenBelowRatio = marks.ReopenBelowRatio,
        };
    }

    /// <summary>A quiet network is an open gate. Squeezes are told, not judged: how many are usual differs from machine to machine.</summary>
    public static Verdict Network(GateMemory memory, GateQuestion asked, bool wasOpen)
    {
        var high = asked.Settings.RetransmitRatio;
        if (high >= 1)
            return Verdict.SwitchedOff;
        if (asked.Sample.Tcp is not { } now)
            return Verdict.NoSource("/proc/net/snmp");
        if (memory.Base(asked.Now, s => s.Tcp is not null) is not { } earlier)
            return new(wasOpen, "first reading") { Unmeasured = true };
        var before = earlier.Tcp!.Value;
        var sent = Since(before.OutSegments, now.OutSegments);
        var again = Since(before.RetransmittedSegments, now.RetransmittedSegments);
        var squeezes = asked.Sample.SoftirqSqueezes is { } squeezed && earlier.SoftirqSqueezes is { } earlierSqueezed
            ? $", {Since(earlierSqueezed, squeezed)} softirq squeezes"
            : "";
        var detail = $"{again} of {sent} segments sent again in {Hysteresis.Seconds(asked.Now.Since(earlier.At))}{squeezes}";
        var low = high * GateSettings.DefaultReopenRatio;
        if (sent < FewestSegments)
            return new(true, $"{detail}: too few to judge") { CloseAtRatio = high, OpenBelowRatio = low };
        var ratio = Math.Min(1, (double)again / sent);
        return new(Hysteresis.Open(wasOpen, ratio, high, low), detail) { ValueRatio = ratio, CloseAtRatio = high, OpenBelowRatio = low };
    }

    // A counter that wrapped or was reset says nothing; the next reading starts from its new value.
    private static ulong Since(ulong before, ulong now) => now >= before ? now - before : 0;
}
