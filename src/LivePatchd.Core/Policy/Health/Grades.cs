// What each finding during a soak is worth, and what follows from it: one table, which docs/evidence.md prints.
using System.Collections.Immutable;

namespace LivePatchd.Core.Policy.Health;

/// <summary>How strongly a finding speaks against the patch that is blamed for it.</summary>
public enum EvidenceGrade
{
    /// <summary>The patch itself is named, or a check fails that the operator requires.</summary>
    Attributed,

    /// <summary>The machine got worse, and nothing says by whose fault.</summary>
    Suspect,

    /// <summary>It happened at the same time, and any user can make it happen.</summary>
    Coincidence,
}

/// <summary>What is done about a patch on probation.</summary>
public enum Consequence
{
    /// <summary>Taken out and quarantined until somebody releases it.</summary>
    OutUntilReleased,

    /// <summary>Taken out and tried again after a pause; from the second time on quarantined for soak.quarantine first.</summary>
    OutAndTriedAgain,

    /// <summary>Reported; the soak goes on and is prolonged once.</summary>
    Reported,
}

/// <summary>What may be found during a soak, or after one that a crash ended.</summary>
public enum FindingKind
{
    ReportNamesPatch,
    ReportNamesNobody,
    CounterRose,
    TaintSet,
    RequiredCheckFailed,
    UnitFailed,
    UnitWithoutStandingFailed,
    PressureNotBack,
    HostCrashed,
}

/// <param name="Words">Of the finding, for documents.</param>
public sealed record GradeRow(FindingKind Kind, string Words, EvidenceGrade Grade)
{
    public Consequence Consequence => Grades.ConsequenceOf(Grade);
}

public static class Grades
{
    public static ImmutableArray<GradeRow> Table { get; } =
    [
        new(FindingKind.ReportNamesPatch, "a report of the kernel names the patch's module in a frame, or its source file", EvidenceGrade.Attributed),
        new(FindingKind.RequiredCheckFailed, "a health check fails that the operator requires", EvidenceGrade.Attributed),
        new(FindingKind.HostCrashed, "the host goes down without a shutdown during the soak", EvidenceGrade.Attributed),
        new(FindingKind.ReportNamesNobody, "a report of the kernel names no patch on probation: oops, warning, lockup, hung task, RCU stall", EvidenceGrade.Suspect),
        new(FindingKind.CounterRose, "`oops_count` or `warn_count` rose", EvidenceGrade.Suspect),
        new(FindingKind.TaintSet, "a taint bit of a fault (D, W or L) was newly set", EvidenceGrade.Suspect),
        new(FindingKind.UnitFailed, "a unit of the system fails", EvidenceGrade.Suspect),
        new(FindingKind.UnitWithoutStandingFailed, "a unit without standing fails: `user@*`, `user-runtime-dir@*`, `run-*`, scopes", EvidenceGrade.Coincidence),
        new(FindingKind.PressureNotBack, "the pressure does not come back under its marks", EvidenceGrade.Coincidence),
    ];

    private static readonly ImmutableDictionary<FindingKind, EvidenceGrade> ByKind = Table.ToImmutableDictionary(r => r.Kind, r => r.Grade);

    public static EvidenceGrade Of(FindingKind kind) => ByKind[kind];

    public static Consequence ConsequenceOf(EvidenceGrade grade) => grade switch
    {
        EvidenceGrade.Attributed => Consequence.OutUntilReleased,
        EvidenceGrade.Suspect => Consequence.OutAndTriedAgain,
        _ => Consequence.Reported,
    };

    /// <summary>The word of every surface.</summary>
    public static string Word(this EvidenceGrade grade) => grade switch
    {
        EvidenceGrade.Attributed => "attributed",
        EvidenceGrade.Suspect => "suspect",
        _ => "coincidence",
    };

    /// <summary>Null for what is no word of a grade.</summary>
    public static EvidenceGrade? Parse(string? word) => Enum.GetValues<EvidenceGrade>().Cast<EvidenceGrade?>().FirstOrDefault(g => g!.Value.Word() == word);

    /// <summary>Units that a user without rights can make fail, or that come and go as people do.</summary>
    public static bool HasStanding(string unit)
    {
        ArgumentNullException.ThrowIfNull(unit);
        return !unit.EndsWith(".scope", StringComparison.Ordinal)
            && !unit.StartsWith("user@", StringComparison.Ordinal)
            && !unit.StartsWith("user-runtime-dir@", StringComparison.Ordinal)
            && !unit.StartsWith("run-", StringComparison.Ordinal);
    }
}
