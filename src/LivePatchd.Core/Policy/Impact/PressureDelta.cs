// What happened between two pressure samples: each figure on its own, unknown where its source was missing or its counter began anew.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Impact;

/// <summary>Null is unknown, never zero. `full` of cpu is left out: at system level it is always 0.</summary>
/// <param name="Duration">From the first sample to the second: what rates divide by.</param>
public sealed record PressureDelta(
    TimeSpan Duration,
    TimeSpan? IoStall,
    TimeSpan? IoFullStall,
    TimeSpan? CpuStall,
    TimeSpan? MemoryStall,
    TimeSpan? MemoryFullStall,
    ulong? OutSegments,
    ulong? RetransmittedSegments,
    ulong? SoftirqSqueezes,
    ulong? Oopses,
    ulong? Warnings)
{
    /// <summary>Null when the second is not after the first: there is no time in which anything could have happened.</summary>
    public static PressureDelta? Between(in PressureSample from, in PressureSample to) => !from.At.IsBefore(to.At) ? null : new PressureDelta(
        to.At.Since(from.At),
        Grown(from.Io?.Some.Total, to.Io?.Some.Total),
        Grown(from.Io?.Full?.Total, to.Io?.Full?.Total),
        Grown(from.Cpu?.Some.Total, to.Cpu?.Some.Total),
        Grown(from.Memory?.Some.Total, to.Memory?.Some.Total),
        Grown(from.Memory?.Full?.Total, to.Memory?.Full?.Total),
        Grown(from.Tcp?.OutSegments, to.Tcp?.OutSegments),
        Grown(from.Tcp?.RetransmittedSegments, to.Tcp?.RetransmittedSegments),
        Grown(from.SoftirqSqueezes, to.SoftirqSqueezes),
        Grown(from.OopsCount, to.OopsCount),
        Grown(from.WarnCount, to.WarnCount));

    /// <summary>Share of the time, 0 to 1; a reading takes time, so the quotient may exceed 1 by a hair.</summary>
    public double? Ratio(TimeSpan? stall) => stall is { } s ? Math.Clamp(s / Duration, 0, 1) : null;

    public double? PerSecond(ulong? count) => count is { } n ? n / Duration.TotalSeconds : null;

    /// <summary>Null too when nothing was sent.</summary>
    public double? RetransmitRatio => RetransmittedSegments is { } again && OutSegments is { } sent and > 0 ? again / (double)sent : null;

    private static TimeSpan? Grown(TimeSpan? from, TimeSpan? to) => to >= from ? to - from : null;

    private static ulong? Grown(ulong? from, ulong? to) => to >= from ? to - from : null;
}
