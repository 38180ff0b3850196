// Has the machine got worse, by which sign, and which patch on probation is blamed for it?
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Health;

/// <param name="Detail">Lines and counters, before and after; one line.</param>
internal sealed record Finding(Suspect Suspect, FindingKind Kind, EvidenceGrade Grade, Reason Reason, string Detail);

/// <summary>
/// The kernel's own words come first, for they may name the patch; then its counters, its taint, and what only coincides. One kind of
/// evidence decides a look: the rest of it is most likely the same trouble, and becomes the baseline of the others.
/// </summary>
internal static class Evidence
{
    public const int MaxDetail = 512;

    /// <param name="suspects">Loaded last comes last: it is blamed where nothing names another.</param>
    public static ImmutableArray<Finding> Look(HealthInput input, ImmutableArray<Suspect> suspects, Instant now)
    {
        var found = Look(input, suspects, coincidences: false, now);
        // What only coincides prolongs a soak once, and is passed over from then on.
        return found.IsEmpty ? Look(input, [.. suspects.Where(s => s.Patch.Coincidence is null)], coincidences: true, now) : found;
    }

    private static ImmutableArray<Finding> Look(HealthInput input, ImmutableArray<Suspect> suspects, bool coincidences, Instant now)
    {
        var reports = Reports(input, suspects, coincidences);
        if (!reports.IsEmpty)
            return reports;
        var found = Counters.Look(input.Sample, suspects, coincidences)
            ?? (coincidences ? null : Checks(input, suspects))
            ?? Units(input, suspects, coincidences)
            ?? Pressure(input, suspects, coincidences, now);
        return found is null ? [] : [found];
    }

    private static ImmutableArray<Finding> Reports(HealthInput input, ImmutableArray<Suspect> suspects, bool coincidences)
    {
        var found = ImmutableArray.CreateBuilder<Finding>();
        foreach (var report in KernelReports.Find(input.Lines).Where(r => r.IsWhole))
        {
            var open = suspects.Where(s => Counts(report, s) && Counters.Confirm(report.Kind, input.Sample, s.Baseline)).ToList();
            var named = open.Where(s => report.Names(s.Name)).ToList();
            var kind = named.Count > 0 ? FindingKind.ReportNamesPatch : FindingKind.ReportNamesNobody;
            foreach (var blamed in named.Count > 0 ? named : open.TakeLast(1))
            {
                if (blamed.Grade(kind, report.Kind) is { } grade && grade is EvidenceGrade.Coincidence == coincidences && !found.Any(f => f.Suspect.Name == blamed.Name))
                    found.Add(new Finding(blamed, kind, grade, report.Kind, Detail([report.Lines[0], .. Counters.Changes(input.Sample, blamed)])));
            }
        }
        return found.ToImmutable();
    }

    /// <summary>It is newer than what the patch is judged from, and of a kind that is watched.</summary>
    private static bool Counts(KernelReport report, Suspect s) =>
        s.Weight(report.Kind) is not CheckWeight.Off
        && (s.Baseline?.LogSequence is { } known ? report.Sequence > known : report.At >= s.Patch.JudgedFrom.Monotonic);

    private static Finding? Checks(HealthInput input, ImmutableArray<Suspect> suspects)
    {
        foreach (var result in input.Results.Where(r => !r.Passed))
        {
            // A check that began before the patch was active says nothing about it.
            var blamed = suspects.LastOrDefault(s => IsRequired(result, s)
                && s.Patch.ActiveAt is { } active && !result.BeganAt.IsBefore(active) && !result.BeganAt.IsBefore(s.Patch.JudgedFrom));
            if (blamed is not null)
                return new Finding(blamed, FindingKind.RequiredCheckFailed, Grades.Of(FindingKind.RequiredCheckFailed), Reason.HealthCheckFailed, Detail([$"{result.Unit.Name} failed", result.Detail]));
        }
        return null;
    }

    private static bool IsRequired(CheckResult result, Suspect s) =>
        result.Unit.Required || s.Soak.Checks.Commands.Contains(result.Unit.Name, StringComparer.Ordinal);

    private static Finding? Units(HealthInput input, ImmutableArray<Suspect> suspects, bool coincidences)
    {
        if (input.Sample.FailedUnits is not { } failed)
            return null;
        // The checks speak for themselves, and the failure of a wanted one is no evidence.
        var checks = input.Units.Select(u => u.Name).Concat(suspects.SelectMany(s => s.Soak.Checks.Commands)).ToHashSet(StringComparer.Ordinal);
        for (var i = suspects.Length - 1; i >= 0; i--)
        {
            var suspect = suspects[i];
            if (suspect.Baseline?.FailedUnits is not { } before)
                continue;
            var fresh = failed.Except(before, StringComparer.Ordinal)
                .Where(u => !checks.Contains(u) && input.UnitFacts.GetValueOrDefault(u)?.FailedBefore(suspect.Patch.StartedAt) is not true)
                .Select(u => (Name: u, Kind: suspect.KindOfUnit(u, input.UnitFacts.GetValueOrDefault(u))))
                .Where(u => suspect.GradeOfUnit(u.Kind) is { } grade && grade is EvidenceGrade.Coincidence == coincidences)
                .OrderBy(u => u.Name, StringComparer.Ordinal).ToList();
            if (fresh.Count > 0)
                return new Finding(suspect, fresh[0].Kind, suspect.GradeOfUnit(fresh[0].Kind)!.Value, Reason.UnitsFailed, Detail([$"failed: {string.Join(", ", fresh.Select(u => u.Name))}", $"before: {before.Length}"]));
        }
        return null;
    }

    private static Finding? Pressure(HealthInput input, ImmutableArray<Suspect> suspects, bool coincidences, Instant now)
    {
        if (input.Sample.PressureOpen != false)
            return null;
        var blamed = suspects.LastOrDefault(s => s.Grade(FindingKind.PressureNotBack, Reason.PressureNotBack) is { } g && g is EvidenceGrade.Coincidence == coincidences
            && s.Baseline?.PressureOpen == true
            && s.Patch.SoakBegin is { } begin && now.Since(begin) >= Suspect.PressurePatience
            && input.PressureClosedSince.TryGetValue(s.Name, out var closed) && now.Since(closed) >= Suspect.PressurePatience);
        return blamed is null
            ? null
            : new Finding(blamed, FindingKind.PressureNotBack, blamed.Grade(FindingKind.PressureNotBack, Reason.PressureNotBack)!.Value, Reason.PressureNotBack, FormattableString.Invariant(
                $"the pressure gates were open before the load, and closed for {now.Since(input.PressureClosedSince[blamed.Name]).TotalSeconds:0} s since"));
    }

    internal static string Detail(IEnumerable<string> parts) => Printable.Line(string.Join("; ", parts.Where(p => p.Length > 0)), MaxDetail);
}
