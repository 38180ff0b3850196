// The kernel's counters and taint against those of a patch's baseline, and the new baseline after a finding.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Policy.Health;

/// <summary>Counters that an older kernel lacks say nothing: then its log and its taint decide.</summary>
internal static class Counters
{
    // Documentation/admin-guide/tainted-kernels.rst.
    private const ulong BadPage = 1UL << 5;
    private const ulong Died = 1UL << 7;
    private const ulong Warned = 1UL << 9;
    private const ulong LockedUp = 1UL << 14;

    public static Finding? Look(HealthSample now, ImmutableArray<Suspect> suspects, bool coincidences)
    {
        if (suspects.LastOrDefault(s => Open(s, FindingKind.CounterRose, Reason.KernelOops, coincidences) && now.OopsCount > s.Baseline?.OopsCount) is { } oops)
            return Of(oops, FindingKind.CounterRose, Reason.KernelOops, now, coincidences);
        if (suspects.LastOrDefault(s => Open(s, FindingKind.CounterRose, Reason.KernelWarning, coincidences) && now.WarnCount > s.Baseline?.WarnCount) is { } warning)
            return Of(warning, FindingKind.CounterRose, Reason.KernelWarning, now, coincidences);
        return suspects.LastOrDefault(s => s.Baseline is { } before && (now.Tainted & ~before.Tainted & Watched(s, coincidences)) != 0) is { } tainted
            ? Of(tainted, FindingKind.TaintSet, Reason.KernelTainted, now, coincidences)
            : null;
    }

    /// <summary>
    /// The kernel has counted something since, or set a bit of its taint: where it counts, no text is a verdict without that. Lockups, hung
    /// tasks and stalls it does not count, and an older kernel counts nothing: there the form of the report must do.
    /// </summary>
    public static bool Confirm(Reason kind, HealthSample now, HealthBaseline? before) =>
        kind is Reason.KernelLockup
        || before is null
        || now.OopsCount is null && now.WarnCount is null
        || before.OopsCount is null && before.WarnCount is null
        || now.OopsCount > before.OopsCount
        || now.WarnCount > before.WarnCount
        || (now.Tainted & ~before.Tainted & (BadPage | Died | Warned | LockedUp)) != 0;

    /// <summary>What has changed since the patch's baseline, in words.</summary>
    public static ImmutableArray<string> Changes(HealthSample now, Suspect s)
    {
        if (s.Baseline is not { } before)
            return [];
        var text = ImmutableArray.CreateBuilder<string>();
        if (now.OopsCount != before.OopsCount)
            text.Add($"oops_count {before.OopsCount} -> {now.OopsCount}");
        if (now.WarnCount != before.WarnCount)
            text.Add($"warn_count {before.WarnCount} -> {now.WarnCount}");
        if (now.Tainted != before.Tainted)
            text.Add($"tainted {before.Tainted} -> {now.Tainted}");
        return text.ToImmutable();
    }

    /// <summary>
    /// What the other patches are judged by from here on. The kernel writes its report first and counts afterwards, so what a report is
    /// going to be counted as is taken as counted: one warning must not take out one patch after the other.
    /// </summary>
    public static HealthBaseline After(HealthSample now, ImmutableArray<Finding> findings)
    {
        var next = now.ToBaseline();
        foreach (var finding in findings)
        {
            var before = finding.Suspect.Baseline;
            next = finding.Reason switch
            {
                Reason.KernelOops => next with { OopsCount = Later(next.OopsCount, before?.OopsCount), Tainted = next.Tainted | Died },
                Reason.KernelWarning => next with { WarnCount = Later(next.WarnCount, before?.WarnCount), Tainted = next.Tainted | Warned },
                Reason.KernelLockup => next with { Tainted = next.Tainted | LockedUp },
                _ => next,
            };
        }
        return next;
    }

    private static ulong? Later(ulong? now, ulong? before) => now == before ? now + 1 : now;

    private static ulong Watched(Suspect s, bool coincidences) =>
        (Open(s, FindingKind.TaintSet, Reason.KernelWarning, coincidences) ? Warned : 0) | (Open(s, FindingKind.TaintSet, Reason.KernelOops, coincidences) ? Died | LockedUp : 0);

    private static bool Open(Suspect s, FindingKind kind, Reason of, bool coincidences) =>
        s.Grade(kind, of) is { } grade && grade is EvidenceGrade.Coincidence == coincidences;

    private static Finding Of(Suspect s, FindingKind kind, Reason reason, HealthSample now, bool coincidences)
    {
        // A taint bit does not say of which kind the fault was: the milder word of the two checks.
        var grade = reason is not Reason.KernelTainted ? s.Grade(kind, reason)!.Value
            : coincidences ? EvidenceGrade.Coincidence
            : s.Soak.Checks is { Warnings: CheckWeight.Attributed, Oops: CheckWeight.Attributed } ? EvidenceGrade.Attributed
            : EvidenceGrade.Suspect;
        return new(s, kind, grade, reason, Evidence.Detail(Changes(now, s)));
    }
}
