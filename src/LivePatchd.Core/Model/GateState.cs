// What a gate says at one moment: open or closed, by which figure, since when.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

/// <summary>The closed set of gates, in the order in which they are asked.</summary>
public enum Gate
{
    Inhibitor,
    Hold,
    Uptime,
    Window,
    Load,
    IoPressure,
    CpuPressure,
    MemoryPressure,
    Network,
}

/// <summary>What the figure of a gate counts.</summary>
public enum GateUnit
{
    /// <summary>Of time or of segments, 0 to 1.</summary>
    Share,

    /// <summary>Tasks that run or want to, for each CPU.</summary>
    LoadPerCpu,

    /// <summary>Network rounds cut short, in a second, for each CPU.</summary>
    SqueezesPerSecond,
}

/// <param name="Since">Moment from which it has been open (or closed) without a break, as far as is known.</param>
/// <param name="Available">False when its source is missing: then `gates.unavailable` decides whether it is open.</param>
/// <param name="Value">Of several figures the one nearest to its mark; null where the gate has none.</param>
/// <param name="CloseAt">High mark, in the figure's unit: closes when the figure is above.</param>
/// <param name="OpenBelow">Low mark: once closed, opens when the figure is below.</param>
/// <param name="Unit">Of the figure and its marks; null where the gate has none.</param>
/// <param name="OpensAt">When the gate is known to open by itself (a window, an operator's hold); null otherwise.</param>
/// <param name="Detail">Figures and averages in words, for people; the source's name when it is missing.</param>
public sealed record GateState(
    Gate Gate,
    bool Open,
    Instant Since,
    bool Available,
    double? Value,
    double? CloseAt,
    double? OpenBelow,
    GateUnit? Unit,
    Instant? OpensAt,
    string Detail);

/// <summary>All gates together, and the answer for who waits at them.</summary>
/// <param name="Reason">Null when a change may be made now; else why not: the first closed gate's reason, or that they are settling.</param>
/// <param name="RetryAt">When the answer is expected to change by itself; null when only an event changes it.</param>
public sealed record GateBoard(ImmutableArray<GateState> Gates, Reason? Reason, Instant? RetryAt, string Detail)
{
    /// <summary>No gate at all: for settings without gates, and before the first reading in tests.</summary>
    public static GateBoard AllOpen { get; } = new([], null, null, "");

    public bool Open => Reason is null;
}
