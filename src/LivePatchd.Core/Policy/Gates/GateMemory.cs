// What the gates remember from one question to the next: which were open since when, and the readings that make a rate.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

/// <param name="Since">Moment from which the gate has been so.</param>
/// <param name="RangAt">When a trigger of the gate last fired.</param>
public readonly record struct GateStanding(bool Open, Instant Since, Instant? RangAt = null);

/// <summary>One memory belongs to one set of marks: a patch with marks of its own has one of its own.</summary>
/// <param name="History">Oldest first, at least <see cref="Shortest"/> apart: a dozen at most.</param>
public sealed record GateMemory(ImmutableArray<PressureSample> History, ImmutableDictionary<Gate, GateStanding> Standings)
{
    /// <summary>A share of less time says more about the moment of asking than about the machine.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>The window over which shares are reckoned while readings come often enough.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    public static GateMemory Empty { get; } = new([], ImmutableDictionary<Gate, GateStanding>.Empty);

    /// <summary>
    /// The reading that a share up to now begins at: the oldest within <see cref="Longest"/>; after a longer pause the newest before it,
    /// so that the whole gap counts. Null when there is none old enough.
    /// </summary>
    public PressureSample? Base(Instant now, Func<PressureSample, bool> hasSource)
    {
        PressureSample? found = null;
        for (var i = History.Length - 1; i >= 0; i--)
        {
            var age = now.Since(History[i].At);
            if (age < Shortest || !hasSource(History[i]))
                continue;
            if (found is not null && age > Longest)
                break;
            found = History[i];
        }
        return found;
    }

    internal GateMemory With(PressureSample sample, ImmutableDictionary<Gate, GateStanding> standings) => new(Kept(sample), standings);

    private ImmutableArray<PressureSample> Kept(PressureSample sample)
    {
        // Readings that crowd are used when they come, not kept: what is kept stays apart, and so stays few.
        if (!History.IsEmpty && sample.At.Since(History[^1].At) < Shortest)
            return History;
        var firstWithin = 0;
        while (firstWithin < History.Length && sample.At.Since(History[firstWithin].At) > Longest)
            firstWithin++;
        return [.. History[Math.Max(0, firstWithin - 1)..], sample];
    }
}
