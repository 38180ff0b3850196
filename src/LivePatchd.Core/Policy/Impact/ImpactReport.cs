// What one apply or revert did to the machine: plain values for history, bus, metrics and people.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Policy.Impact;

public enum ImpactPhase
{
    /// <summary>Inside finit_module: symbols, relocations, the text patched, the first walk over all tasks.</summary>
    Load,

    /// <summary>From there until the kernel showed that every task runs the new code, or that it gave up.</summary>
    Transition,

    /// <summary>From the write to `enabled` until the patch was out of the kernel's list.</summary>
    Revert,
}

/// <param name="Duration">By the clock; the delta's own is that of the samples around it.</param>
/// <param name="Delta">Null when no two samples enclose it.</param>
/// <param name="LongestStall">See <see cref="Stalls.Longest"/>.</param>
public sealed record PhaseImpact(ImpactPhase Phase, TimeSpan Duration, PressureDelta? Delta, TimeSpan? LongestStall);

/// <summary>Share of time in which some task waited for io, in equal steps: what a sparkline draws. Null where it is unknown.</summary>
public sealed record ImpactSeries(ImmutableArray<double?> Before, ImmutableArray<double?> During, ImmutableArray<double?> After)
{
    public const int MaxPoints = 60;
}

/// <param name="Before">The minute before; null when nobody sampled then.</param>
/// <param name="During">All phases together.</param>
/// <param name="After">The seconds after the end.</param>
public sealed record ImpactReport(
    PressureDelta? Before,
    PressureDelta? During,
    PressureDelta? After,
    ImmutableArray<PhaseImpact> Phases,
    TimeSpan? LongestStall,
    ImpactSeries Series);

/// <summary>One line of a patch's history.</summary>
/// <param name="Time">When it began, by the wall clock: for people.</param>
public sealed record HistoryEntry(
    DateTimeOffset Time, PatchName Patch, Sha256? Digest, Operation Operation, OperationResult Result, ImpactReport Impact)
{
    /// <summary>Why it was taken out, or taken back; null for an apply that was let be.</summary>
    public Reason? Why { get; init; }

    /// <summary>The evidence behind the reason, one line; null where there is none.</summary>
    public string? Detail { get; init; }

    /// <summary>How strongly that speaks against the patch; null where it was taken out for no finding.</summary>
    public EvidenceGrade? Grade { get; init; }

    /// <summary>Null where there was no such phase, or it was not seen by this process.</summary>
    public TimeSpan? Load => DurationOf(ImpactPhase.Load);

    /// <summary>Of an apply or of a revert.</summary>
    public TimeSpan? Transition => DurationOf(Operation is Operation.Apply ? ImpactPhase.Transition : ImpactPhase.Revert);

    private TimeSpan? DurationOf(ImpactPhase phase)
    {
        foreach (var p in Impact.Phases)
        {
            if (p.Phase == phase)
                return p.Duration;
        }
        return null;
    }
}
