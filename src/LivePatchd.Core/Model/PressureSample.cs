// One reading of everything that tells how hard the machine is working: cumulative counters, so that two readings make a rate.
namespace LivePatchd.Core.Model;

/// <summary>A line of /proc/pressure/*: averages as context for people, the total for decisions.</summary>
/// <param name="Avg10Ratio">Share of the last 10 s, 0 to 1 (the kernel prints per cent).</param>
/// <param name="Avg60Ratio">Share of the last minute, 0 to 1.</param>
/// <param name="Avg300Ratio">Share of the last five minutes, 0 to 1.</param>
/// <param name="Total">Stall time since boot; the kernel counts microseconds.</param>
public readonly record struct PsiLine(double Avg10Ratio, double Avg60Ratio, double Avg300Ratio, TimeSpan Total);

/// <param name="Full">Null where the kernel prints no `full` line (cpu before 5.13); always 0 for cpu at system level.</param>
public readonly record struct PsiReading(PsiLine Some, PsiLine? Full);

/// <summary>Tcp of /proc/net/snmp: segments since boot.</summary>
public readonly record struct TcpCounters(ulong OutSegments, ulong RetransmittedSegments);

/// <summary>Every source is null when it is missing or unreadable: PSI off, no softnet_stat, a hardened /proc.</summary>
/// <param name="Load1">First figure of /proc/loadavg: runnable and uninterruptible tasks, averaged over a minute.</param>
/// <param name="OnlineCpus">At least 1.</param>
/// <param name="SoftirqSqueezes">Sum over CPUs of time_squeeze in /proc/net/softnet_stat.</param>
/// <param name="OopsCount">/sys/kernel/oops_count, since boot.</param>
/// <param name="WarnCount">/sys/kernel/warn_count, since boot.</param>
public readonly record struct PressureSample(
    Instant At,
    PsiReading? Io,
    PsiReading? Cpu,
    PsiReading? Memory,
    double? Load1,
    int OnlineCpus,
    TcpCounters? Tcp,
    ulong? SoftirqSqueezes,
    ulong? OopsCount,
    ulong? WarnCount)
{
    /// <summary>The kernel keeps no pressure figures at all: built without them, or with them and booted without `psi=1`.</summary>
    public bool PsiOff { get; init; }
}
