// The lines that make the kernel ring when stalls exceed a mark, so that waiting costs no polling.
using System.Collections.Immutable;
using System.Globalization;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

/// <param name="Gate">IoPressure, CpuPressure or MemoryPressure.</param>
/// <param name="Full">Time in which all tasks were stalled; else some.</param>
/// <param name="Threshold">Stall time within <see cref="Window"/>.</param>
public sealed record PressureTrigger(Gate Gate, bool Full, TimeSpan Threshold)
{
    /// <summary>Without CAP_SYS_RESOURCE the kernel takes multiples of 2 s only; the shortest sees a burst soonest.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(2);

    /// <summary>As it is written to the gate's file, without the NUL that must end it.</summary>
    public string Line => string.Create(CultureInfo.InvariantCulture,
        $"{(Full ? "full" : "some")} {(long)Threshold.TotalMicroseconds} {(long)Window.TotalMicroseconds}");

    /// <summary>One for each mark that can be exceeded.</summary>
    public static ImmutableArray<PressureTrigger> For(GateSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var triggers = ImmutableArray.CreateBuilder<PressureTrigger>();
        Add(Gate.IoPressure, settings.Io);
        Add(Gate.CpuPressure, settings.Cpu);
        Add(Gate.MemoryPressure, settings.Memory);
        return triggers.ToImmutable();

        void Add(Gate gate, PressureMarks marks)
        {
            if (marks.SomeRatio < 1)
                triggers.Add(new PressureTrigger(gate, Full: false, ThresholdOf(marks.SomeRatio)));
            if (marks.FullRatio < 1)
                triggers.Add(new PressureTrigger(gate, Full: true, ThresholdOf(marks.FullRatio)));
        }
    }

    // The kernel refuses a threshold of 0: a mark of 0 rings at the least stall there is.
    private static TimeSpan ThresholdOf(double mark) => TimeSpan.FromMicroseconds(Math.Max(1, Math.Round(mark * Window.TotalMicroseconds)));
}
