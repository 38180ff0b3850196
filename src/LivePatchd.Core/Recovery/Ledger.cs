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
/// <param name="ConfirmedAt">Moment from which the kernel is known to have it; null while the intent is open.</param>
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
    Instant? ConfirmedAt,
    Instant? ActiveAt,
    Instant? DisabledAt,
    PatchName? SupersededBy)
{
    public bool Confirmed => ConfirmedAt is not null;
}

/// <param name="Name">Patch that failed, so that an apply of this name forgives it.</param>
/// <param name="Count">Failures of this digest in this boot.</param>
public sealed record FailureMark(PatchName Name, Reason Reason, Errno Errno, int Count, Instant LastAt, string Detail)
{
    /// <summary>How many of them were transitions that policy took back: the budget of attempts is held against these alone.</summary>
    public int Reversals { get; init; }
}

/// <param name="Count">Times that these bytes were taken out.</param>
public sealed record DriftMark(Sha256 Digest, int Count, Instant LastAt);

public sealed record SupersededMark(Sha256 Digest, PatchName By, Sha256? ByDigest);

/// <param name="Mark">Null when its manifest names no stream.</param>
public sealed record DowngradeMark(PatchName Name, StreamMark? Mark);

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
    ImmutableDictionary<Sha256, Reason> Quarantined)
{
    /// <summary>Since when a gate holds the patch of this name back, in this boot: the deferral budget runs from there.</summary>
    public ImmutableDictionary<PatchName, Instant> Deferred { get; init; } = ImmutableDictionary<PatchName, Instant>.Empty;

    /// <summary>Requests of this boot for which no gate counts, and when they were made; spent by the next load or disable.</summary>
    public ImmutableDictionary<PatchName, Instant> Overrides { get; init; } = ImmutableDictionary<PatchName, Instant>.Empty;

    /// <summary>How often somebody took the patch out by hand in this boot: forgotten when an operator applies it.</summary>
    public ImmutableDictionary<PatchName, DriftMark> Drifts { get; init; } = ImmutableDictionary<PatchName, DriftMark>.Empty;

    /// <summary>Patches whose transition somebody forced in this boot.</summary>
    public ImmutableHashSet<PatchName> Forced { get; init; } = [];

    /// <summary>How far each stream has got.</summary>
    public ImmutableDictionary<StreamId, StreamState> Marks { get; init; } = ImmutableDictionary<StreamId, StreamState>.Empty;

    /// <summary>Bytes that an operator lets in although their stream is further; ended by the stream's next step forward.</summary>
    public ImmutableDictionary<Sha256, DowngradeMark> Downgrades { get; init; } = ImmutableDictionary<Sha256, DowngradeMark>.Empty;

    public static Ledger Empty(string bootId) => new(
        bootId,
        ImmutableDictionary<PatchName, OwnedPatch>.Empty,
        ImmutableDictionary<Sha256, FailureMark>.Empty,
        ImmutableDictionary<PatchName, FailureMark>.Empty,
        ImmutableDictionary<PatchName, SupersededMark>.Empty,
        ImmutableDictionary<PatchName, Sha256>.Empty,
        [],
        ImmutableDictionary<Sha256, Reason>.Empty);
}
