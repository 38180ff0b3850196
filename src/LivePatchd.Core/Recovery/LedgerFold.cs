// Folds journal records into the ledger, one at a time; records of other boots keep only what outlives a boot.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;

namespace LivePatchd.Core.Recovery;

public static class LedgerFold
{
    public static Ledger Replay(IEnumerable<JournalRecord> records, string bootId) =>
        records.Aggregate(Ledger.Empty(bootId), Apply);

    public static Ledger Apply(Ledger ledger, JournalRecord r) => r.Kind switch
    {
        RecordKind.OperatorReverted => Asked(Overriding(ledger, r), r) with
        {
            Reverted = ledger.Reverted.Add(r.Name),
            RevertFailures = ledger.RevertFailures.Remove(r.Name),
        },
        RecordKind.OperatorApplied => Lifted(Asked(Overriding(StreamFold.Downgrade(ledger, r), r), r), r),
        RecordKind.MarkRaised => StreamFold.Raise(ledger, r),
        RecordKind.Superseded when r.Identity is { } patch => Supersede(ledger, r, patch),
        RecordKind.Quarantined or RecordKind.Released or RecordKind.Confirmed or RecordKind.Unconfirmed when r.Identity is { } patch =>
            TrustFold.Apply(ledger, r, patch),
        _ when r.BootId == ledger.BootId => ThisBoot(ledger, r),
        RecordKind.Deferred => ledger with { DeferredBefore = ledger.DeferredBefore.SetItem(r.Name, r.At.Wall) },
        RecordKind.Undeferred or RecordKind.LoadIntent or RecordKind.Adopted => NoLongerWaiting(ledger, r),
        RecordKind.DisableIntent when r.Reason is not Reason.NewVersion => NoLongerWaiting(ledger, r),
        _ => ledger,
    };

    private static Ledger ThisBoot(Ledger ledger, JournalRecord r) => r.Kind switch
    {
        RecordKind.LoadIntent when r.Digest is { } digest => Own(ledger, r, digest, PatchOrigin.Daemon, null),
        RecordKind.Adopted when r.Digest is { } digest => Own(ledger, r, digest, PatchOrigin.Adopted, r.At),
        RecordKind.Loaded => Change(ledger, r, o => o with { LoadedAt = o.LoadedAt ?? r.At }),
        RecordKind.Activated => Activate(ledger, r),
        RecordKind.Filed when r.Digest is { } digest => Change(ledger, r, o => o with { Digest = digest, Content = r.Content, Path = r.Path ?? o.Path, FileSystem = r.FileSystem }),
        RecordKind.DisableIntent => Disable(ledger, r),
        RecordKind.Coincided => TrustFold.Coincided(ledger, r),
        RecordKind.Reenabled => Change(Fail(ledger, r), r, o => o with { DisabledAt = null, DisabledFor = null }),
        RecordKind.Deferred => ledger with
        {
            Deferred = ledger.Deferred.SetItem(r.Name, r.At),
            DeferredBefore = ledger.DeferredBefore.Remove(r.Name),
        },
        RecordKind.Undeferred => NoLongerWaiting(ledger, r),
        RecordKind.Forced => ledger with { Forced = ledger.Forced.Add(r.Name) },
        RecordKind.LoadFailed when r.Identity is { } patch => Disown(ledger, r) with
        {
            Failures = ledger.Failures.With(patch, Count(ledger.Failures.Of(patch), r)),
        },
        RecordKind.RevertFailed => Fail(ledger, r),
        RecordKind.DisabledByHand when r.Identity is { } patch => ledger with
        {
            DisabledByHand = ledger.DisabledByHand.SetItem(r.Name, patch.Key),
            Drifts = ledger.Drifts.SetItem(r.Name, new DriftMark(
                patch.Key, ledger.Drifts.TryGetValue(r.Name, out var before) && patch.Is(before.Digest) ? before.Count + 1 : 1, r.At)),
        },
        RecordKind.Abandoned => Disown(ledger, r),
        RecordKind.Gone => Disown(ledger, r) with
        {
            RevertFailures = ledger.RevertFailures.Remove(r.Name),
        },
        _ => ledger,
    };

    private static Ledger Overriding(Ledger ledger, JournalRecord r) => r.OverrideGates && r.BootId == ledger.BootId
        ? ledger with { Overrides = ledger.Overrides.SetItem(r.Name, r.At) }
        : ledger;

    /// <summary>A newer request takes the place of the one before.</summary>
    private static Ledger Asked(Ledger ledger, JournalRecord r) => r.BootId != ledger.BootId ? ledger : ledger with
    {
        Deadlines = r.Deadline is { } deadline ? ledger.Deadlines.SetItem(r.Name, deadline) : ledger.Deadlines.Remove(r.Name),
        AskedFor = r.Kind is RecordKind.OperatorApplied && !r.WaitsForBoot ? ledger.AskedFor.Add(r.Name) : ledger.AskedFor.Remove(r.Name),
    };

    /// <summary>The change that somebody waited for or asked for is being made.</summary>
    private static Ledger Begun(Ledger ledger, JournalRecord r) => NoLongerWaiting(ledger, r) with
    {
        Overrides = ledger.Overrides.Remove(r.Name),
        Deadlines = ledger.Deadlines.Remove(r.Name),
    };

    private static Ledger NoLongerWaiting(Ledger ledger, JournalRecord r) => ledger with
    {
        Deferred = ledger.Deferred.Remove(r.Name),
        DeferredBefore = ledger.DeferredBefore.Remove(r.Name),
    };

    /// <summary>A transition that is taken back although the patch is wanted is a failed attempt of these bytes, once for each load.</summary>
    private static Ledger Disable(Ledger ledger, JournalRecord r)
    {
        var owned = ledger.Owned.GetValueOrDefault(r.Name);
        // On its way to a new build the wait and the request are for the load that follows.
        var disabled = Change(r.Reason is Reason.NewVersion ? ledger : Begun(ledger, r), r, o => o with { DisabledAt = r.At, DisabledFor = r.Reason });
        return owned is { DisabledAt: null } && r.Reason is { } reason && Stalls.Contains(reason)
            ? disabled with { Failures = ledger.Failures.With(owned.Identity, Count(ledger.Failures.Of(owned.Identity), r)) }
            : disabled;
    }

    private static Ledger Fail(Ledger ledger, JournalRecord r) => ledger with
    {
        RevertFailures = ledger.RevertFailures.SetItem(r.Name, Count(ledger.RevertFailures.GetValueOrDefault(r.Name), r)),
    };

    private static Ledger Own(Ledger ledger, JournalRecord r, Sha256 digest, PatchOrigin origin, Instant? loadedAt) => Begun(ledger, r) with
    {
        ConfirmAsked = ledger.ConfirmAsked.Remove(r.Name),
        AskedFor = ledger.AskedFor.Remove(r.Name),
        Unconfirmed = ledger.Unconfirmed.Remove(r.Name),
        Owned = ledger.Owned.SetItem(r.Name, new OwnedPatch(
            r.Name, digest, r.BuildId, r.Path ?? "", origin, r.At, loadedAt, null, null, null)
        {
            Content = r.Content,
            InsteadOf = r.Kind is RecordKind.LoadIntent ? r.By : null,
            Baseline = r.Baseline,
            FileSystem = r.FileSystem,
            SoakDuration = r.SoakDuration,
            MustConfirm = r.MustConfirm || ledger.ConfirmAsked.Contains(r.Name),
        }),
        Superseded = ledger.Superseded.Remove(r.Name),
        DisabledByHand = ledger.DisabledByHand.Remove(r.Name),
    };

    private static Ledger Disown(Ledger ledger, JournalRecord r) => ledger with { Owned = ledger.Owned.Remove(r.Name) };

    private static Ledger Activate(Ledger ledger, JournalRecord r)
    {
        var changed = Change(ledger, r, o => o with { ActiveAt = o.ActiveAt ?? r.At, DisabledAt = null, DisabledFor = null });
        return r.Identity is { } patch ? changed with { Failures = changed.Failures.Without(patch) } : changed;
    }

    private static Ledger Change(Ledger ledger, JournalRecord r, Func<OwnedPatch, OwnedPatch> change) =>
        ledger.Owned.TryGetValue(r.Name, out var owned)
            ? ledger with { Owned = ledger.Owned.SetItem(r.Name, change(owned)) }
            : ledger;

    private static Ledger Supersede(Ledger ledger, JournalRecord r, PatchIdentity patch)
    {
        var marked = ledger with
        {
            Superseded = ledger.Superseded.SetItem(r.Name, new SupersededMark(patch.Key, r.By ?? r.Name, r.ByDigest)),
        };
        return r.BootId == ledger.BootId ? Change(marked, r, o => o with { SupersededBy = r.By }) : marked;
    }

    /// <summary>An operator's apply lifts everything that stands against the name short of quarantine.</summary>
    private static Ledger Lifted(Ledger ledger, JournalRecord r) => TrustFold.Asked(ledger, r) with
    {
        Reverted = ledger.Reverted.Remove(r.Name),
        Superseded = ledger.Superseded.Remove(r.Name),
        DisabledByHand = ledger.DisabledByHand.Remove(r.Name),
        Drifts = ledger.Drifts.Remove(r.Name),
        RevertFailures = ledger.RevertFailures.Remove(r.Name),
        Failures = ledger.Failures.RemoveRange(ledger.Failures.Where(f => f.Value.Name == r.Name).Select(f => f.Key)),
    };

    private static FailureMark Count(FailureMark? before, JournalRecord r) =>
        new(r.Name, r.Reason ?? Reason.KernelRefused, r.Errno, (before?.Count ?? 0) + 1, r.At, r.Detail ?? "")
        {
            Reversals = (before?.Reversals ?? 0) + (r.Reason is { } reason && Stalls.Contains(reason) ? 1 : 0),
        };
}
