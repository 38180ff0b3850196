// When the machine counts as calm enough for a change: the marks of every gate.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

/// <param name="MaxPerCpuRatio">Closes above.</param>
/// <param name="ReopenBelowRatio">Once closed, opens below; never above the high mark.</param>
public sealed record LoadMarks(double MaxPerCpuRatio, double ReopenBelowRatio);

/// <summary>Shares of time in which some, or all, tasks were stalled. A mark of 1 is never exceeded: the line is not asked.</summary>
/// <param name="ReopenRatio">The low mark is this share of the high mark.</param>
public sealed record PressureMarks(double SomeRatio, double FullRatio, double ReopenRatio);

/// <param name="RetransmitRatio">Retransmitted ÷ sent TCP segments. A mark of 1 is never exceeded.</param>
/// <param name="SqueezesPerSecond">Squeezes of all CPUs in a second ÷ CPUs online. <see cref="MaxSqueezesPerSecond"/> is never exceeded.</param>
public sealed record NetworkMarks(double RetransmitRatio, double SqueezesPerSecond)
{
    /// <summary>
    /// The kernel cuts a round short after two ticks, or after `net.core.netdev_budget` packets: 300, for which no CPU needs less than
    /// ten microseconds.
    /// </summary>
    public const double MaxSqueezesPerSecond = 100_000;
}

[Flags]
public enum WeekDays
{
    None = 0,
    Monday = 1,
    Tuesday = 2,
    Wednesday = 4,
    Thursday = 8,
    Friday = 16,
    Saturday = 32,
    Sunday = 64,
    All = 127,
}

/// <param name="Days">On which it begins, by the calendar of its time zone; it may end on another.</param>
/// <param name="TimeZone">IANA name; whether the host knows it is seen when the gate is asked.</param>
public sealed record MaintenanceWindow(WeekDays Days, TimeOnly Start, TimeSpan Length, string TimeZone);

/// <summary>What a gate does whose source is missing.</summary>
public enum WhenUnavailable
{
    Hold,
    Apply,
}

/// <param name="Network">Both must be kept.</param>
/// <param name="Windows">One of them must be open; none at all is no restriction.</param>
/// <param name="MinUptime">Time since boot.</param>
/// <param name="Settle">How long every gate must have been open.</param>
public sealed record GateSettings(
    LoadMarks Load,
    PressureMarks Io,
    PressureMarks Cpu,
    PressureMarks Memory,
    NetworkMarks Network,
    ImmutableArray<MaintenanceWindow> Windows,
    TimeSpan MinUptime,
    TimeSpan Settle,
    WhenUnavailable Unavailable)
{
    /// <summary>The low mark of gates that have no key for it, as a share of the high mark.</summary>
    public const double DefaultReopenRatio = 0.5;

    public static GateSettings Default { get; } = new(
        new LoadMarks(1.5, 1.0),
        new PressureMarks(0.2, 0.05, DefaultReopenRatio),
        new PressureMarks(0.6, 1, DefaultReopenRatio),
        new PressureMarks(1, 0.05, DefaultReopenRatio),
        new NetworkMarks(0.02, 100),
        Windows: [],
        MinUptime: TimeSpan.Zero,
        Settle: TimeSpan.FromSeconds(30),
        WhenUnavailable.Hold);

    /// <summary>A patch's own windows: one of these must be open too. None at all is no further restriction.</summary>
    public ImmutableArray<MaintenanceWindow> PatchWindows { get; init; } = [];
}
