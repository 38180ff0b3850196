// A new patch on probation: who is, until when, which checks are due, and what a look at the machine's health teaches the journal.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Policy.Health;

public static class Probation
{
    /// <summary>Owned, not confirmed, and nothing found against it yet. Loaded last comes last.</summary>
    public static ImmutableArray<OwnedPatch> Suspects(Ledger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        return [.. ledger.Owned.Values.Where(o => Concerns(o, ledger)).OrderBy(o => o.StartedAt.Monotonic).ThenBy(o => o.Name)];
    }

    public static bool Concerns(OwnedPatch owned, Ledger ledger)
    {
        ArgumentNullException.ThrowIfNull(owned);
        ArgumentNullException.ThrowIfNull(ledger);
        return owned.SupersededBy is null
            && !ledger.Confirmed.Has(owned.Identity)
            && ledger.Against(owned) is null
            && !ledger.IsUnconfirmed(owned.Name, owned.Identity);
    }

    /// <summary>The probation of this owned patch: the host's settings with those of its manifest, and of who asked to confirm it.</summary>
    public static SoakSettings Soak(OwnedPatch owned, DesiredState want, Settings settings) => Suspect.Of(owned, want, settings).Soak;

    /// <summary>Null: not on probation, or not active yet.</summary>
    public static Instant? EndsAt(OwnedPatch owned, Ledger ledger, DesiredState want, Settings settings) =>
        Concerns(owned, ledger) ? Suspect.Of(owned, want, settings).End : null;

    /// <summary>The load intent or adoption, with what the probation will need: the baseline, and whether somebody must confirm.</summary>
    public static JournalRecord Charge(JournalRecord record, Manifest? manifest, Ledger ledger, Settings settings, HealthSample sample)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(sample);
        return record with
        {
            Baseline = sample.ToBaseline(),
            SoakDuration = manifest?.Soak?.Duration is { } own && own > settings.Soak.Duration ? own : settings.Soak.Duration,
            MustConfirm = ledger.ConfirmAsked.Contains(record.Name) || manifest?.Soak?.Confirm is SoakConfirm.Manual || settings.Soak.Confirm is SoakConfirm.Manual,
        };
    }

    /// <summary>An operator's confirmation; null when there is nothing to confirm: not on probation, or not active yet.</summary>
    public static JournalRecord? Confirm(PatchName name, Ledger ledger, Instant now)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        return ledger.Owned.TryGetValue(name, out var owned) && owned.SoakBegin is not null && Concerns(owned, ledger)
            ? Record(RecordKind.Confirmed, owned, ledger, now)
            : null;
    }

    /// <summary>Rounds of checks that are due now and not made yet.</summary>
    /// <param name="checkedAt">As in <see cref="HealthInput.CheckedAt"/>.</param>
    public static ImmutableArray<DueRound> Due(
        Ledger ledger, DesiredState want, Settings settings, ImmutableArray<CheckUnit> units, ImmutableDictionary<PatchName, Instant> checkedAt, Instant now)
    {
        var due = ImmutableArray.CreateBuilder<DueRound>();
        foreach (var s in Gather(ledger, want, settings))
        {
            if (s.Due(At(checkedAt, s), now) is { } since)
                due.Add(new DueRound(s.Name, since, UnitsOf(s, units)));
        }
        return due.ToImmutable();
    }

    /// <summary>Moment of the next round, or of the soak's end; null while nothing is on probation. In the past when a round is due.</summary>
    public static Instant? NextCheck(
        Ledger ledger, DesiredState want, Settings settings, ImmutableDictionary<PatchName, Instant> checkedAt)
    {
        Instant? next = null;
        foreach (var s in Gather(ledger, want, settings))
        {
            if (s.FirstMissing(At(checkedAt, s)) is { } at && (next is not { } best || at.IsBefore(best)))
                next = at;
        }
        return next;
    }

    /// <summary>Somebody on probation is judged by which units fail, so that a failure between two rounds is worth knowing.</summary>
    public static bool AreUnitsJudged(Ledger ledger, DesiredState want, Settings settings) =>
        Gather(ledger, want, settings).Any(s => s.Soak is { Checks.Units: not CheckWeight.Off, Duration.Ticks: > 0 } && s.Baseline?.FailedUnits is not null);

    /// <summary>What this look teaches: findings with their grade, or confirmations, or that nobody confirmed in time.</summary>
    public static ImmutableArray<JournalRecord> Learn(HealthInput input, Ledger ledger, DesiredState want, Settings settings, Instant now)
    {
        ArgumentNullException.ThrowIfNull(input);
        var suspects = Gather(ledger, want, settings);
        var findings = Evidence.Look(input, suspects, now);
        if (findings.IsEmpty)
            return [.. suspects.Select(s => Outcome(s, input, ledger, now)).OfType<JournalRecord>()];
        var after = Counters.After(input.Sample, findings);
        return
        [
            .. findings.Select(f => Record(Grades.ConsequenceOf(f.Grade) is Consequence.Reported ? RecordKind.Coincided : RecordKind.Quarantined, f.Suspect.Patch, ledger, now)
                with { Reason = f.Reason, Detail = f.Detail, Grade = f.Grade, Baseline = after }),
        ];
    }

    private static JournalRecord? Outcome(Suspect s, HealthInput input, Ledger ledger, Instant now)
    {
        if (s.End is not { } end || now.IsBefore(end))
            return null;
        if (s.Soak.Confirm is SoakConfirm.Manual)
            return Record(RecordKind.Unconfirmed, s.Patch, ledger, now) with { Reason = Reason.NotConfirmed };
        // The last round began at the end, and is over: it has found nothing.
        var passed = s.Soak.Duration == TimeSpan.Zero || At(input.CheckedAt, s) is { } done && !done.IsBefore(end);
        return passed ? Record(RecordKind.Confirmed, s.Patch, ledger, now) : null;
    }

    private static ImmutableArray<Suspect> Gather(Ledger ledger, DesiredState want, Settings settings) =>
        [.. Suspects(ledger).Select(o => Suspect.Of(o, want, settings))];

    private static ImmutableArray<CheckUnit> UnitsOf(Suspect s, ImmutableArray<CheckUnit> units)
    {
        var commands = s.Soak.Checks.Commands;
        return
        [
            .. commands.Select(c => new CheckUnit(c, Required: true)),
            .. units.Where(u => !commands.Contains(u.Name, StringComparer.Ordinal)),
        ];
    }

    private static Instant? At(ImmutableDictionary<PatchName, Instant> checkedAt, Suspect s) =>
        checkedAt.TryGetValue(s.Name, out var at) ? at : null;

    private static JournalRecord Record(RecordKind kind, OwnedPatch o, Ledger ledger, Instant now) =>
        new(kind, o.Name, ledger.BootId, now, o.Digest, o.BuildId, o.Path) { Content = o.Content };
}
