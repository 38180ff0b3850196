// Patches on probation as the loop sees them: the machine's health at each look, kernel reports that must be whole, and what is learned.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux.Kernel;
using LivePatchd.Log;
using LivePatchd.Metrics;

namespace LivePatchd.Loop;

/// <summary>On the loop's thread only.</summary>
internal sealed class ProbationDesk(HealthDesk health, KernelLogWindow window, GateDesk gates, JournalBook journal, MonotonicClock clock, DaemonMeter meter, DaemonLog log)
{
    /// <summary>The kernel warns of many things, firewalls' log lines among them: its counters are looked at for them no more often.</summary>
    private static readonly TimeSpan ForOtherLines = TimeSpan.FromSeconds(3);

    /// <summary>The kernel's priority of a warning; what is graver has a lower one.</summary>
    private const int Warning = 4;

    /// <summary>The kernel writes its report first and counts afterwards, within moments: a report that is not counted yet is looked at again.</summary>
    private static readonly TimeSpan UntilCounted = TimeSpan.FromSeconds(5);

    private readonly Instant begun = clock.Now();
    private readonly HashSet<(PatchName Name, TimeSpan ActiveAt)> calm = [];
    private ImmutableDictionary<PatchName, Instant> pressed = ImmutableDictionary<PatchName, Instant>.Empty;
    private Instant? report;
    private Instant? spoken;
    private Instant lookedAt;
    private ulong? warnings;

    /// <summary>When to look again for a probation's sake; null while nothing is on probation, or when an answer will ring.</summary>
    public Instant? Due { get; private set; }

    /// <summary>A record of the kernel's log, as it comes.</summary>
    /// <returns>When it is to be judged; null when it is of no interest.</returns>
    public Instant? Heard(KernelLogRecord record)
    {
        if (!record.FromKernel || record.Priority > Warning || Probation.Suspects(journal.Ledger).IsEmpty)
            return null;
        var now = clock.Now();
        if (KernelLine.Classify(record) is not null)
        {
            spoken = now;
            return (report ??= now).After(KernelReports.Settle);
        }
        // Not a report as we know them, but perhaps one that was counted.
        var next = lookedAt.After(ForOtherLines);
        return now.After(KernelReports.Settle) is var soon && next.IsBefore(soon) ? soon : next;
    }

    /// <summary>For the record of a load: how the machine is now.</summary>
    public HealthSample Sample(ObservedState seen, Instant now) => new(
        now, seen.Kernel.OopsCount, seen.Kernel.WarnCount, seen.Kernel.Tainted, health.Failed, PressureOpen(), window.Mark > 0 ? window.Mark - 1 : null);

    /// <summary>The intent of a load, or an adoption, with what its probation will need.</summary>
    public JournalRecord Charge(JournalRecord record, PlannerInput input)
    {
        var manifest = input.Want.Wanted.FirstOrDefault(w => w.Name == record.Name && record.Identity is { } patch && w.Module.Identity.Matches(patch))?.Manifest;
        return Probation.Charge(record, manifest, input.Ledger, input.Settings, Sample(input.Seen, input.Now));
    }

    /// <summary>A load waits until it is known which units had failed before it.</summary>
    public bool MayBegin(Plan plan, PlannerInput input)
    {
        if (plan.Steps is not [PlanStep.Load or PlanStep.Adopt, ..] || input.Busy is not null)
            return true;
        var manifest = input.Want.Wanted.FirstOrDefault(w => w.Name == plan.Steps[0].Name)?.Manifest;
        if (SoakOverlay.For(manifest, input.Settings.Soak, input.Want.HostChecks) is not { Duration.Ticks: > 0, Checks.Units: not CheckWeight.Off } || health.MayLoad(input.Now))
            return true;
        Due = LoopWait.Earliest(Due, health.ListingDue);
        return false;
    }

    /// <summary>What this look teaches goes into the journal, before anything is planned.</summary>
    public void Look(ObservedState seen, DesiredState desired, Settings settings, Instant now)
    {
        var suspects = Probation.Suspects(journal.Ledger);
        health.Collect(suspects.Select(s => s.Name), now);
        (Due, lookedAt) = (null, now);
        if (suspects.IsEmpty)
        {
            (report, spoken, warnings) = (null, null, null);
            calm.Clear();
            pressed = pressed.Clear();
        }
        else
        {
            Due = Judge(suspects, seen, desired, settings, now);
        }
        // With what was just learned: who is trusted now is not listened for.
        Due = LoopWait.Earliest(Due, health.Follow(Probation.AreUnitsJudged(journal.Ledger, desired, settings), now));
    }

    /// <returns>When to look again; null when an answer will ring.</returns>
    private Instant? Judge(ImmutableArray<OwnedPatch> suspects, ObservedState seen, DesiredState desired, Settings settings, Instant now)
    {
        CountWarnings(seen.Kernel);
        FollowPressure(suspects);
        // Half a report would be judged without the names in it.
        if (report is { } first && now.Since(first) < KernelReports.Settle)
            return first.After(KernelReports.Settle);
        report = null;
        var units = health.ReadUnits();
        var input = new HealthInput(Sample(seen, now))
        {
            Lines = window.Records,
            Units = units,
            UnitFacts = health.Facts,
            Results = health.Results,
            CheckedAt = health.CheckedAt,
            PressureClosedSince = pressed,
        };
        foreach (var record in Probation.Learn(input, journal.Ledger, desired, settings, now))
        {
            spoken = null;
            // What cannot be written is learned again at the next look.
            if (!journal.Record(record))
                break;
            Tell(record);
        }
        var due = Probation.Due(journal.Ledger, desired, settings, units, health.CheckedAt, now);
        var again = spoken is { } heard && now.Since(heard) < UntilCounted ? now.After(TimeSpan.FromSeconds(1)) : (Instant?)null;
        return LoopWait.Earliest(again, health.Begin(due, Probation.NextCheck(journal.Ledger, desired, settings, health.CheckedAt), now));
    }

    private void Tell(JournalRecord record)
    {
        switch (record.Kind)
        {
            case RecordKind.Confirmed:
                log.Note(EventKind.Confirmed, $"{record.Name}: the soak has passed, the patch is trusted", record.Name, record.Digest);
                break;
            case RecordKind.Unconfirmed:
                log.Problem(EventKind.Unconfirmed, $"{record.Name}: not confirmed in time", Reason.NotConfirmed, record.Name, record.Digest);
                break;
            case RecordKind.Quarantined:
                var mark = journal.Ledger.Quarantined.Of(new PatchIdentity(record.Digest!.Value, record.Content));
                var said = mark is not null && SecondChance.IsHeld(mark) ? "taken out as a suspect" : "quarantined";
                log.Problem(EventKind.Quarantined, $"{record.Name}: {said}: {record.Detail}", record.Reason, record.Name, record.Digest);
                break;
            case RecordKind.Coincided:
                log.Problem(EventKind.HealthCheck, $"{record.Name}: a coincidence, its soak is prolonged: {record.Detail}", record.Reason, record.Name, record.Digest);
                break;
        }
    }

    private void CountWarnings(KernelFacts kernel)
    {
        if (kernel.WarnCount is { } count)
        {
            if (warnings is { } before && count > before)
                meter.KernelWarned((long)(count - before));
            warnings = count;
        }
    }

    /// <summary>A reading from before the patch was active says nothing about what it did.</summary>
    private void FollowPressure(ImmutableArray<OwnedPatch> suspects)
    {
        pressed = pressed.RemoveRange(pressed.Keys.Except(suspects.Select(s => s.Name)));
        foreach (var suspect in suspects)
        {
            if (suspect.ActiveAt is not { } active || calm.Contains((suspect.Name, active.Monotonic)))
                continue;
            if (gates.ReadAt is { } read && !read.IsBefore(active) && PressureOpen() is not false)
            {
                calm.Add((suspect.Name, active.Monotonic));
                pressed = pressed.Remove(suspect.Name);
            }
            else if (!pressed.ContainsKey(suspect.Name))
            {
                pressed = pressed.Add(suspect.Name, active.IsBefore(begun) ? begun : active);
            }
        }
    }

    /// <summary>Null when a figure is missing.</summary>
    private bool? PressureOpen()
    {
        var pressure = gates.Board.Gates.Where(g => g.Gate is Gate.IoPressure or Gate.CpuPressure or Gate.MemoryPressure).ToList();
        return pressure.Count == 0 || pressure.Any(g => !g.Available) ? null : pressure.TrueForAll(g => g.Open);
    }
}
