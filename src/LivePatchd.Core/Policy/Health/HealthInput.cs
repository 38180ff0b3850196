// Everything a probation is judged by at one look.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Health;

/// <summary>A systemd service that checks the host's health.</summary>
/// <param name="Required">Its failure is evidence; that of a wanted one is only reported.</param>
public sealed record CheckUnit(string Name, bool Required);

/// <summary>A check that ended. One that could not be started is no result: it is tried again, and nothing is confirmed meanwhile.</summary>
/// <param name="Detail">Why it failed, one line; empty when it passed.</param>
public sealed record CheckResult(CheckUnit Unit, Instant BeganAt, bool Passed, string Detail);

/// <summary>The round of checks that is due for a patch: failed units are listed, and these services started.</summary>
/// <param name="Since">Moment at which it fell due.</param>
public sealed record DueRound(PatchName Name, Instant Since, ImmutableArray<CheckUnit> Units);

public sealed record HealthInput(HealthSample Sample)
{
    /// <summary>
    /// Newest lines of the kernel's log, oldest first; lines may be given again, for what was judged is known by its number. A report
    /// is several lines: wait <see cref="KernelReports.Settle"/> after its first one.
    /// </summary>
    public ImmutableArray<KernelLogRecord> Lines { get; init; } = [];

    /// <summary>Services of /etc/livepatchd/health.d. Those of `soak.checks.commands` are known from the settings.</summary>
    public ImmutableArray<CheckUnit> Units { get; init; } = [];

    /// <summary>Of failed units, where systemd said more than their names.</summary>
    public ImmutableDictionary<string, UnitFacts> UnitFacts { get; init; } = ImmutableDictionary<string, UnitFacts>.Empty;

    /// <summary>Checks that ended since the last look.</summary>
    public ImmutableArray<CheckResult> Results { get; init; } = [];

    /// <summary>Begin of the last round of checks of each patch that is over.</summary>
    public ImmutableDictionary<PatchName, Instant> CheckedAt { get; init; } = ImmutableDictionary<PatchName, Instant>.Empty;

    /// <summary>Patches for which the pressure gates have not been open at any look since this moment: their activation, or the daemon's start if that is later.</summary>
    public ImmutableDictionary<PatchName, Instant> PressureClosedSince { get; init; } = ImmutableDictionary<PatchName, Instant>.Empty;
}
