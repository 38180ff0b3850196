// What each finding during a soak is worth, and what follows from it: one table, which docs/evidence.md prints.
using System.Collections.Immutable;
using LivePatchd.Core.Config;

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
    CrashNamesPatch,
    HostCrashed,
    HostCrashedAgain,
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
        new(FindingKind.CrashNamesPatch, "the host goes down, and what the kernel kept of it (pstore) names the patch's module in a frame, be it on probation or trusted; the others on probation are free", EvidenceGrade.Attributed),
        new(FindingKind.HostCrashedAgain, "the host goes down without a shutdown during the soak, for the second time with the same bytes", EvidenceGrade.Attributed),
        new(FindingKind.ReportNamesNobody, "a report of the kernel names no patch on probation: oops, warning, lockup, hung task, RCU stall", EvidenceGrade.Suspect),
        new(FindingKind.HostCrashed, "the host goes down without a shutdown during the soak, and nothing that the kernel kept of it names a patch of livepatchd's", EvidenceGrade.Suspect),
        new(FindingKind.CounterRose, "`oops_count` or `warn_count` rose", EvidenceGrade.Suspect),
        new(FindingKind.TaintSet, "a taint bit of a fault (D, W or L) was newly set", EvidenceGrade.Suspect),
        new(FindingKind.UnitFailed, "a unit of the system fails", EvidenceGrade.Suspect),
        new(FindingKind.UnitWithoutStandingFailed, "a unit fails that fits `soak.checks.coincidental-units`: `user@*`, `user-runtime-dir@*`, `*.scope`, `run-*`; that is transient or an instance for a connection; that had not been up for `soak.checks.unit-uptime` before the load, or was restarted in the hour before it", EvidenceGrade.Coincidence),
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

    /// <summary>The grade of a finding under the host's word for its check; null: not looked at.</summary>
    public static EvidenceGrade? Of(FindingKind kind, CheckWeight weight) => weight switch
    {
        CheckWeight.Off => null,
        CheckWeight.Report => EvidenceGrade.Coincidence,
        CheckWeight.Attributed => EvidenceGrade.Attributed,
        // Pressure is a coincidence unless the host says otherwise.
        _ => kind is FindingKind.PressureNotBack ? EvidenceGrade.Suspect : Of(kind),
    };
}
