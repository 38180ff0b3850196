// A new patch on probation: who is, until when, which checks are due, and what a look at the machine's health teaches the journal.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Policy.Health;

public static class Probation
{
    /// <summary>Owned, not confirmed, and nothing found against it yet. Loaded last comes last.</summary>
    public static ImmutableArray<OwnedPatch> Suspects(Ledger ledger) =>
        [.. ledger.Owned.Values.Where(o => Concerns(o, ledger)).OrderBy(o => o.StartedAt.Monotonic).ThenBy(o => o.Name)];

    public static bool Concerns(OwnedPatch owned, Ledger ledger)
    {
        ArgumentNullException.ThrowIfNull(owned);
        ArgumentNullException.ThrowIfNull(ledger);
        return owned.SupersededBy is null
            && !ledger.Confirmed.Contains(owned.Digest)
            && !ledger.Quarantined.ContainsKey(owned.Digest)
            && ledger.Unconfirmed.GetValueOrDefault(owned.Name) != owned.Digest;
    }

    /// <summary>The probation of this owned patch: the host's settings with those of its manifest.</summary>
    public static SoakSettings Soak(OwnedPatch owned, DesiredState want, Settings settings) => settings.Soak;

    /// <summary>Null: not on probation, or not active yet.</summary>
    public static Instant? EndsAt(OwnedPatch owned, Ledger ledger, DesiredState want, Settings settings) => null;

    /// <summary>The load intent or adoption, with what the probation will need: the baseline, and whether somebody must confirm.</summary>
    public static JournalRecord Charge(JournalRecord record, Manifest? manifest, Ledger ledger, Settings settings, HealthSample sample) =>
        record with { Baseline = sample.ToBaseline() };

    /// <summary>An operator's confirmation; null when there is nothing to confirm: not on probation, or not active yet.</summary>
    public static JournalRecord? Confirm(PatchName name, Ledger ledger, Instant now) => null;

    /// <summary>Rounds of checks that are due now and not done yet.</summary>
    public static ImmutableArray<DueRound> Due(
        Ledger ledger, DesiredState want, Settings settings, ImmutableArray<CheckUnit> units, ImmutableDictionary<PatchName, Instant> checkedAt, Instant now) => [];

    /// <summary>Moment of the next round, or of the soak's end; null while nothing is on probation. In the past when a round is due.</summary>
    public static Instant? NextCheck(
        Ledger ledger, DesiredState want, Settings settings, ImmutableDictionary<PatchName, Instant> checkedAt) => null;

    /// <summary>What this look teaches: quarantines with their evidence, or confirmations, or that nobody confirmed in time.</summary>
    public static ImmutableArray<JournalRecord> Learn(HealthInput input, Ledger ledger, DesiredState want, Settings settings, Instant now) => [];
}
