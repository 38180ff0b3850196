// Folds what the daemon and its operators think of certain bytes: quarantine, release, confirmation, and its lack.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Recovery;

internal static class TrustFold
{
    public const int MaxConfirmed = 256;

    public static Ledger Apply(Ledger ledger, JournalRecord r, PatchIdentity patch) => r.Kind switch
    {
        RecordKind.Quarantined => Rebased(ledger, r) with
        {
            Quarantined = ledger.Quarantined.With(patch, Mark(ledger.Quarantined.Of(patch), r) with { Patch = patch }),
            Confirmed = ledger.Confirmed.Without(patch),
            // A revert for cause is tried at once, whatever failed before.
            RevertFailures = ledger.RevertFailures.Remove(r.Name),
        },
        RecordKind.Released => Anew(ledger, r, o => o.Identity.Matches(patch)) with { Quarantined = ledger.Quarantined.Without(patch) },
        RecordKind.Confirmed => ledger with
        {
            // A suspect that passed its soak is cleared.
            Quarantined = ledger.Quarantined.Of(patch) is { Grade: EvidenceGrade.Suspect } ? ledger.Quarantined.Without(patch) : ledger.Quarantined,
            Confirmed = [.. Kept(ledger, ledger.Confirmed.Without(patch)), patch.Key],
            Unconfirmed = ledger.IsUnconfirmed(r.Name, patch) ? ledger.Unconfirmed.Remove(r.Name) : ledger.Unconfirmed,
        },
        _ => ledger with
        {
            Unconfirmed = ledger.Unconfirmed.SetItem(r.Name, patch.Key),
            Confirmed = ledger.Confirmed.Without(patch),
            RevertFailures = ledger.RevertFailures.Remove(r.Name),
        },
    };

    /// <summary>What convicted a patch is not lifted by what only makes it suspect.</summary>
    private static QuarantineMark Mark(QuarantineMark? before, JournalRecord r) => before is { Grade: EvidenceGrade.Attributed } && r.Grade is EvidenceGrade.Suspect
        ? before
        : new(r.Name, r.Reason ?? Reason.KernelRefused, r.Detail ?? "", r.At, r.BootId)
        {
            Grade = r.Grade,
            Count = r.Grade is EvidenceGrade.Suspect && before is not null ? 2 : 1,
            Crashes = (before?.Crashes ?? 0) + (r.Reason is Reason.HostCrashed ? 1 : 0),
        };

    /// <summary>The soak begins anew, once, and what coincided is the baseline of what comes.</summary>
    public static Ledger Coincided(Ledger ledger, JournalRecord r)
    {
        var rebased = Rebased(ledger, r);
        return rebased.Owned.TryGetValue(r.Name, out var owned) && owned.Coincidence is null
            ? rebased with { Owned = rebased.Owned.SetItem(r.Name, owned with { Coincidence = r.Reason is { } why ? $"{why.Word()}: {r.Detail}" : r.Detail ?? "", SoakFrom = r.At }) }
            : rebased;
    }

    /// <summary>The newest, and whatever is in the kernel now, however long ago it was confirmed.</summary>
    private static IEnumerable<Sha256> Kept(Ledger ledger, ImmutableArray<Sha256> confirmed)
    {
        var tooMany = confirmed.Length - (MaxConfirmed - 1);
        return tooMany <= 0 ? confirmed : confirmed.Where((digest, i) => i >= tooMany || ledger.Owned.Values.Any(o => o.Identity.Is(digest)));
    }

    /// <summary>An operator's apply: not confirmed in time is forgiven, and the request may ask for a confirmation.</summary>
    public static Ledger Asked(Ledger ledger, JournalRecord r)
    {
        var forgiven = ledger.Unconfirmed.TryGetValue(r.Name, out var digest) ? Anew(ledger, r, o => o.Identity.Is(digest)) : ledger;
        return forgiven with
        {
            Owned = r.MustConfirm ? Asking(forgiven, r) : forgiven.Owned,
            Unconfirmed = ledger.Unconfirmed.Remove(r.Name),
            ConfirmAsked = r.MustConfirm && r.BootId == ledger.BootId ? ledger.ConfirmAsked.Add(r.Name) : ledger.ConfirmAsked.Remove(r.Name),
        };
    }

    /// <summary>A file that was staged a moment before may be loaded already: the word holds for that probation too.</summary>
    private static ImmutableDictionary<PatchName, OwnedPatch> Asking(Ledger ledger, JournalRecord r) =>
        r.BootId == ledger.BootId && ledger.Owned.TryGetValue(r.Name, out var owned)
            ? ledger.Owned.SetItem(r.Name, owned with { MustConfirm = true })
            : ledger.Owned;

    /// <summary>A finding is held against one patch: the others are judged by what comes after it.</summary>
    private static Ledger Rebased(Ledger ledger, JournalRecord r) => r.Baseline is { } baseline && r.BootId == ledger.BootId
        ? ledger with { Owned = ledger.Owned.SetItems(ledger.Owned.Select(o => KeyValuePair.Create(o.Key, o.Value with { Baseline = baseline, JudgedFrom = r.At }))) }
        : ledger;

    /// <summary>A patch that never left the kernel has another chance: its soak begins anew.</summary>
    private static Ledger Anew(Ledger ledger, JournalRecord r, Func<OwnedPatch, bool> which) =>
        r.BootId == ledger.BootId && ledger.Owned.TryGetValue(r.Name, out var owned) && which(owned)
            ? ledger with { Owned = ledger.Owned.SetItem(r.Name, owned with { SoakFrom = r.At }) }
            : ledger;
}
