// One look at the machine's health: counters, taint, failed units, pressure.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Policy.Health;

/// <param name="OopsCount">/sys/kernel/oops_count; null where the kernel lacks it.</param>
/// <param name="WarnCount">/sys/kernel/warn_count; null where the kernel lacks it.</param>
/// <param name="Tainted">/proc/sys/kernel/tainted.</param>
/// <param name="FailedUnits">Systemd units in the failed state; null when they could not be listed.</param>
/// <param name="PressureOpen">The io, cpu and memory gates are open; null when unknown.</param>
/// <param name="LogSequence">
/// Number of the newest record read from the kernel's log; null without a log. Read the counters first, then the log: so no line is later
/// than its counter.
/// </param>
public sealed record HealthSample(
    Instant At, ulong? OopsCount, ulong? WarnCount, ulong Tainted, ImmutableArray<string>? FailedUnits, bool? PressureOpen, ulong? LogSequence)
{
    public HealthBaseline ToBaseline() =>
        new HealthBaseline(OopsCount, WarnCount, Tainted, FailedUnits, PressureOpen, LogSequence).Bounded();
}
