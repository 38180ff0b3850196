// The gates on stall time: the share of the last seconds in which some, or all, tasks waited, from the kernel's totals.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

internal sealed record StallGate(Gate Gate, string Source, Func<PressureSample, PsiReading?> Reading)
{
    public static StallGate Io { get; } = new(Gate.IoPressure, "/proc/pressure/io", s => s.Io);

    public static StallGate Cpu { get; } = new(Gate.CpuPressure, "/proc/pressure/cpu", s => s.Cpu);

    public static StallGate Memory { get; } = new(Gate.MemoryPressure, "/proc/pressure/memory", s => s.Memory);

    /// <param name="rangAt">
    /// When a trigger last fired. The kernel rings at most once in a trigger's window, so its silence says nothing before that has passed.
    /// </param>
    public Verdict Ask(GateMemory memory, GateQuestion asked, PressureMarks marks, bool wasOpen, Instant? rangAt)
    {
        if (marks is { SomeRatio: >= 1, FullRatio: >= 1 })
            return Verdict.SwitchedOff;
        if (Reading(asked.Sample) is not { } now)
        {
            return asked.Sample.PsiOff
                ? new(true, $"{Source}: this kernel keeps no pressure figures, so load and the other gates decide; boot with psi=1 to have it") { NotThere = true }
                : Verdict.NoSource(Source);
        }
        var ringing = rangAt is { } at && asked.Now.Since(at) < PressureTrigger.Window;
        var rang = ringing ? "the kernel's trigger fired; " : "";
        if (memory.Base(asked.Now, s => Reading(s) is not null) is not { } earlier)
            return new(!ringing && wasOpen, $"{rang}first reading; {Averages(now)}") { Unmeasured = true };

        var window = asked.Now.Since(earlier.At);
        var before = Reading(earlier)!.Value;
        var some = Figure(Share(before.Some, now.Some, window), marks.SomeRatio, marks.ReopenRatio);
        var full = now.Full is { } fullNow && before.Full is { } fullBefore
            ? Figure(Share(fullBefore, fullNow, window), marks.FullRatio, marks.ReopenRatio)
            : Figure(0, 1, marks.ReopenRatio);
        var worst = full.Excess > some.Excess ? full : some;
        return new(
            !ringing && some.Open(wasOpen) && full.Open(wasOpen),
            $"{rang}some {Hysteresis.Percent(some.Value)}, full {Hysteresis.Percent(full.Value)} of {Hysteresis.Seconds(window)}; {Averages(now)}")
        {
            Value = worst.Value,
            CloseAt = worst.CloseAt,
            OpenBelow = worst.OpenBelow,
            Unit = GateUnit.Share,
        };
    }

    private static MarkedFigure Figure(double share, double mark, double reopenRatio) => new(share, mark, mark * reopenRatio) { Off = mark >= 1 };

    // A total that went back (it never should) counts as no stall.
    private static double Share(PsiLine before, PsiLine now, TimeSpan window) => Math.Clamp((now.Total - before.Total) / window, 0, 1);

    private static string Averages(PsiReading now)
    {
        var full = now.Full is { } line ? $", full {Hysteresis.Percent(line.Avg10Ratio)} and {Hysteresis.Percent(line.Avg60Ratio)}" : "";
        return $"the kernel's averages of 10 s and 60 s: some {Hysteresis.Percent(now.Some.Avg10Ratio)} and {Hysteresis.Percent(now.Some.Avg60Ratio)}{full}";
    }
}
