// Turns the samples around an apply or revert into the report of what it did.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Impact;

public readonly record struct PhaseSpan(ImpactPhase Phase, Instant Start, Instant End);

/// <summary>Samples in the order of their time.</summary>
/// <param name="Before">Far apart, from about the minute before.</param>
/// <param name="During">About ten a second, from the start to the end.</param>
/// <param name="After">About ten a second, from the end on.</param>
public sealed record ImpactWindow(
    ImmutableArray<PressureSample> Before, ImmutableArray<PressureSample> During, ImmutableArray<PressureSample> After, ImmutableArray<PhaseSpan> Phases);

public static class ImpactMeasure
{
    private const int PointsBefore = 15;
    private const int PointsAfter = 15;
    private const int PointsDuring = ImpactSeries.MaxPoints - PointsBefore - PointsAfter;

    public static ImpactReport Measure(ImpactWindow window) => new(
        Whole(window.Before),
        Whole(window.During),
        Whole(window.After),
        [.. window.Phases.Select(p => Measure(p, window.During.AsSpan()))],
        Stalls.Longest(window.During.AsSpan()),
        new ImpactSeries(
            Stalls.Points(window.Before.AsSpan(), PointsBefore),
            Stalls.Points(window.During.AsSpan(), PointsDuring),
            Stalls.Points(window.After.AsSpan(), PointsAfter)));

    private static PressureDelta? Whole(ImmutableArray<PressureSample> samples) =>
        samples.Length < 2 ? null : PressureDelta.Between(samples[0], samples[^1]);

    /// <summary>By the closest samples that enclose the phase, so that nothing of it is missed; a neighbour's tenth of a second may be counted too.</summary>
    private static PhaseImpact Measure(PhaseSpan span, ReadOnlySpan<PressureSample> samples)
    {
        var (first, last) = (0, samples.Length - 1);
        while (first < last && !span.Start.IsBefore(samples[first + 1].At))
            first++;
        while (last > first && !samples[last - 1].At.IsBefore(span.End))
            last--;
        var around = samples.IsEmpty ? samples : samples[first..(last + 1)];
        return new PhaseImpact(
            span.Phase,
            span.End.Since(span.Start),
            around.Length < 2 ? null : PressureDelta.Between(around[0], around[^1]),
            Stalls.Longest(around));
    }
}
