// One operation while it is measured: its phases and its samples, until there is a report.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;

namespace LivePatchd.Loop;

/// <summary>Under its recorder's lock, until it is complete.</summary>
internal sealed class Measurement(
    PatchName name, Sha256? digest, Operation operation, ImpactPhase firstPhase, Instant start, ImmutableArray<PressureSample> before)
{
    /// <summary>How long the machine is watched after the end.</summary>
    private static readonly TimeSpan Tail = TimeSpan.FromSeconds(5);

    private readonly DateTimeOffset began = start.Wall;
    private readonly SampleBuffer during = new();
    private readonly ImmutableArray<PressureSample>.Builder after = ImmutableArray.CreateBuilder<PressureSample>();
    private readonly List<PhaseSpan> phases = [];
    private Instant phaseStart = start;
    private Instant? end;
    private OperationResult result;

    public PatchName Name => name;

    public Operation Operation => operation;

    public ImpactPhase Phase { get; private set; } = firstPhase;

    public bool Ended => end is not null;

    /// <summary>Why it is a revert, and the evidence behind that.</summary>
    public (Reason? Why, string? Detail, EvidenceGrade? Grade) Cause { get; set; }

    public void Next(ImpactPhase phase, Instant now)
    {
        phases.Add(new PhaseSpan(Phase, phaseStart, now));
        (Phase, phaseStart) = (phase, now);
    }

    public void End(OperationResult how, Instant now)
    {
        phases.Add(new PhaseSpan(Phase, phaseStart, now));
        (result, end) = (how, now);
    }

    /// <param name="edge">Taken because a phase began or ended a moment ago.</param>
    /// <returns>True when nothing more is needed.</returns>
    public bool Take(in PressureSample sample, bool edge)
    {
        if (end is not { } over || sample.At.IsBefore(over))
        {
            during.Add(sample, edge);
            return false;
        }
        if (after.Count == 0)
            during.Add(sample, always: true);
        after.Add(sample);
        // One sample measures nothing.
        return after.Count > 1 && sample.At.Since(over) >= Tail;
    }

    public HistoryEntry Report() => new(
        began, name, digest, operation, result,
        ImpactMeasure.Measure(new ImpactWindow(before, during.ToImmutable(), after.ToImmutable(), [.. phases])))
    {
        Why = Cause.Why,
        Detail = Cause.Detail,
        Grade = Cause.Grade,
    };
}
