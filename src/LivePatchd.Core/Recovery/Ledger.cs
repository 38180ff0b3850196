// What the journal says, folded: whom we own, what failed, what operators decided. Immutable.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Recovery;

public enum PatchOrigin
{
    Daemon,
    Adopted,
}

/// <summary>A module that this daemon loaded, or is loading, in the boot of the ledger.</summary>
/// <param name="Path">The directory entry that asked for it.</param>
/// <param name="StartedAt">Moment of the load intent (or adoption).</param>
/// <param name="LoadedAt">Moment from which the kernel is known to have it; null while the intent is open.</param>
/// <param name="ActiveAt">First moment at which transition==0 was read.</param>
/// <param name="DisabledAt">Moment of our own disable or reversal.</param>
/// <param name="SupersededBy">Set once a cumulative patch replaced it.</param>
public sealed record OwnedPatch(
    PatchName Name,
    Sha256 Digest,
    BuildId? BuildId,
    string Path,
    PatchOrigin Origin,
    Instant StartedAt,
    Instant? LoadedAt,
    Instant? ActiveAt,
    Instant? DisabledAt,
    PatchName? SupersededBy)
{
    public bool IsLoaded => LoadedAt is not null;

    /// <summary>How the machine was when the patch was loaded, or when it was last judged; null: the record does not say.</summary>
    public HealthBaseline? Baseline { get; init; }

    /// <summary>Moment of the baseline: what happened before is not held against the patch.</summary>
    public Instant JudgedFrom { get; init; } = StartedAt;

    /// <summary>Somebody must confirm it before the soak ends.</summary>
    public bool MustConfirm { get; init; }

    /// <summary>The soak begins anew here: an operator gave the loaded patch another chance.</summary>
    public Instant? SoakFrom { get; init; }

    /// <summary>Begin of the soak; null before the first transition==0.</summary>
    public Instant? SoakBegin => ActiveAt is { } active && SoakFrom is { } from && active.IsBefore(from) ? from : ActiveAt;
}

/// <param name="Name">Patch that failed, so that an apply of this name forgives it.</param>
/// <param name="Count">Failures of this digest in this boot.</param>
public sealed record FailureMark(PatchName Name, Reason Reason, Errno Errno, int Count, Instant LastAt, string Detail)
{
    /// <summary>How many of them were transitions that policy took back: the budget of attempts is held against these alone.</summary>
    public int Reversals { get; init; }
}

/// <param name="Detail">The evidence: lines, counters before and after; one line.</param>
/// <param name="BootId">Boot in which it was found; Monotonic of <paramref name="At"/> is of that boot.</param>
public sealed record QuarantineMark(PatchName Name, Reason Reason, string Detail, Instant At, string BootId);

public sealed record SupersededMark(Sha256 Digest, PatchName By, Sha256? ByDigest);

/// <param name="Failures">Load failures of this boot by digest.</param>
/// <param name="RevertFailures">Disable or removal failures of this boot by name.</param>
/// <param name="DisabledByHand">Digest that somebody took out in this boot; lifted by an operator's apply or a new file.</param>
public sealed record Ledger(
    string BootId,
    ImmutableDictionary<PatchName, OwnedPatch> Owned,
    ImmutableDictionary<Sha256, FailureMark> Failures,
    ImmutableDictionary<PatchName, FailureMark> RevertFailures,
    ImmutableDictionary<PatchName, SupersededMark> Superseded,
    ImmutableDictionary<PatchName, Sha256> DisabledByHand,
    ImmutableHashSet<PatchName> Reverted,
    ImmutableDictionary<Sha256, QuarantineMark> Quarantined)
{
    /// <summary>Digests that passed their soak, or that an operator confirmed: not put on probation again. The oldest first, bounded.</summary>
    public ImmutableArray<Sha256> Confirmed { get; init; } = [];

    /// <summary>Digests that nobody confirmed in time, by name; lifted by an operator's apply or a new file.</summary>
    public ImmutableDictionary<PatchName, Sha256> Unconfirmed { get; init; } = ImmutableDictionary<PatchName, Sha256>.Empty;

    /// <summary>Names whose next load must be confirmed, because the apply asked for it.</summary>
    public ImmutableHashSet<PatchName> ConfirmAsked { get; init; } = [];

    /// <summary>Since when a gate holds the patch of this name back, in this boot: the deferral budget runs from there.</summary>
    public ImmutableDictionary<PatchName, Instant> Deferred { get; init; } = ImmutableDictionary<PatchName, Instant>.Empty;

    /// <summary>Requests of this boot for which no gate counts, and when they were made; spent by the next load or disable.</summary>
    public ImmutableDictionary<PatchName, Instant> Overrides { get; init; } = ImmutableDictionary<PatchName, Instant>.Empty;

    /// <summary>Until when the gates may hold back what was asked for in this boot, by the calendar; spent as an override is.</summary>
    public ImmutableDictionary<PatchName, DateTimeOffset> Deadlines { get; init; } = ImmutableDictionary<PatchName, DateTimeOffset>.Empty;

    /// <summary>Patches whose transition somebody forced in this boot.</summary>
    public ImmutableHashSet<PatchName> Forced { get; init; } = [];

    public bool IsUnconfirmed(PatchName name, Sha256 digest) => Unconfirmed.TryGetValue(name, out var mark) && mark == digest;

    public static Ledger Empty(string bootId) => new(
        bootId,
        ImmutableDictionary<PatchName, OwnedPatch>.Empty,
        ImmutableDictionary<Sha256, FailureMark>.Empty,
        ImmutableDictionary<PatchName, FailureMark>.Empty,
        ImmutableDictionary<PatchName, SupersededMark>.Empty,
        ImmutableDictionary<PatchName, Sha256>.Empty,
        [],
        ImmutableDictionary<Sha256, QuarantineMark>.Empty);
}
