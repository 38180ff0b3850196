// The gate on the load average.
using System.Globalization;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

internal static class LoadGate
{
    /// <summary>A load per CPU that no machine reaches: the mark that switches the gate off.</summary>
    public const double MaxLoadRatio = 1000;

    public static Verdict Ask(GateQuestion asked, bool wasOpen)
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
            Value = load / cpus,
            CloseAt = marks.MaxPerCpuRatio,
            OpenBelow = marks.ReopenBelowRatio,
            Unit = GateUnit.LoadPerCpu,
        };
    }
}
