// How the machine was at one moment, as a journal record carries it: what a probation is judged against.
using System.Collections.Immutable;

namespace LivePatchd.Core.Recovery;

/// <param name="OopsCount">/sys/kernel/oops_count; null where the kernel lacks it.</param>
/// <param name="WarnCount">/sys/kernel/warn_count; null where the kernel lacks it.</param>
/// <param name="Tainted">/proc/sys/kernel/tainted.</param>
/// <param name="FailedUnits">Sorted, at most <see cref="MaxUnits"/>; null when unknown, or when there were more.</param>
/// <param name="PressureOpen">The io, cpu and memory gates were open; null when unknown.</param>
/// <param name="LogSequence">Number of the newest record of the kernel's log; null when unknown.</param>
public sealed record HealthBaseline(
    ulong? OopsCount, ulong? WarnCount, ulong Tainted, ImmutableArray<string>? FailedUnits, bool? PressureOpen, ulong? LogSequence)
{
    public const int MaxUnits = 64;

    private const int MaxUnitName = 255;

    /// <summary>The same with its list of units sorted and bounded.</summary>
    public HealthBaseline Bounded() => this with
    {
        FailedUnits = FailedUnits is { } units && units.Length <= MaxUnits && units.All(u => u.Length <= MaxUnitName)
            ? [.. units.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]
            : null,
    };

    public bool Equals(HealthBaseline? other) => other is not null
        && (OopsCount, WarnCount, Tainted, PressureOpen, LogSequence) == (other.OopsCount, other.WarnCount, other.Tainted, other.PressureOpen, other.LogSequence)
        && FailedUnits.HasValue == other.FailedUnits.HasValue
        && (FailedUnits is not { } units || units.SequenceEqual(other.FailedUnits!.Value, StringComparer.Ordinal));

    public override int GetHashCode() => HashCode.Combine(OopsCount, WarnCount, Tainted, FailedUnits?.Length, PressureOpen, LogSequence);
}
