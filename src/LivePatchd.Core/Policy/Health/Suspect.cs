// A patch on probation, with the checks that judge it and the moments of its rounds.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Policy.Health;

internal sealed record Suspect(OwnedPatch Patch, SoakSettings Soak)
{
    private static readonly ImmutableArray<TimeSpan> Rounds =
        [TimeSpan.Zero, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15)];

    public static readonly TimeSpan PressurePatience = TimeSpan.FromMinutes(1);

    public PatchName Name => Patch.Name;

    public HealthBaseline? Baseline => Patch.Baseline;

    /// <summary>Null before the first transition==0.</summary>
    public Instant? End => Patch.SoakBegin?.After(Soak.Duration);

    /// <summary>The host's word and its manifest's, and that of whoever asked to confirm it: without a time to confirm in, the usual one.</summary>
    public static Suspect Of(OwnedPatch owned, DesiredState want, Settings settings)
    {
        var manifest = want.Wanted.FirstOrDefault(w => w.Name == owned.Name && w.Module.Identity.Matches(owned.Identity))?.Manifest;
        var soak = SoakOverlay.For(manifest, settings.Soak, want.HostChecks);
        if (soak.Duration < owned.SoakDuration)
            soak = soak with { Duration = owned.SoakDuration };
        if (owned.MustConfirm)
            soak = soak with { Confirm = SoakConfirm.Manual };
        if (soak is { Confirm: SoakConfirm.Manual, Duration.Ticks: 0 })
            soak = soak with { Duration = SoakSettings.Default.Duration };
        return new Suspect(owned, soak);
    }

    /// <summary>First round that has not been made; null when all have, there are none, or the patch is not active yet.</summary>
    public Instant? FirstMissing(Instant? checkedAt) => Missing(checkedAt).Cast<Instant?>().FirstOrDefault();

    /// <summary>Newest round that is due.</summary>
    public Instant? Due(Instant? checkedAt, Instant now) => Missing(checkedAt).Where(m => !now.IsBefore(m)).Cast<Instant?>().LastOrDefault();

    /// <summary>The host's word for the check that finds this.</summary>
    public CheckWeight Weight(Reason of) => of switch
    {
        Reason.KernelWarning => Soak.Checks.Warnings,
        Reason.UnitsFailed => Soak.Checks.Units,
        Reason.PressureNotBack => Soak.Checks.Pressure,
        _ => Soak.Checks.Oops,
    };

    /// <summary>Null: not looked at.</summary>
    public EvidenceGrade? Grade(FindingKind kind, Reason of) => Grades.Of(kind, Weight(of));

    /// <param name="facts">Null: systemd did not say more than its name.</param>
    public FindingKind KindOfUnit(string unit, UnitFacts? facts) =>
        Soak.Checks.Coincidental.Any(p => UnitName.Fits(unit, p)) || facts?.HasStanding(Patch.StartedAt, Soak.Checks.UnitUptime) is false ? FindingKind.UnitWithoutStandingFailed : FindingKind.UnitFailed;

    /// <summary>What users can make fail is a coincidence, however strongly the host takes other units.</summary>
    public EvidenceGrade? GradeOfUnit(FindingKind kind) => kind is FindingKind.UnitWithoutStandingFailed && Soak.Checks.Units is not CheckWeight.Off
        ? EvidenceGrade.Coincidence
        : Grade(FindingKind.UnitFailed, Reason.UnitsFailed);

    private IEnumerable<Instant> Missing(Instant? checkedAt) =>
        Patch.SoakBegin is { } begin && Soak.Duration > TimeSpan.Zero
            ? Rounds.Append(Soak.Duration).Where(r => r <= Soak.Duration).Distinct().Order()
                .Select(begin.After).Where(m => checkedAt is not { } done || done.IsBefore(m))
            : [];
}
