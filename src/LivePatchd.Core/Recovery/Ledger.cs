// What the journal says, folded: whom we own, what failed, what operators decided. Immutable.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

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

    /// <summary>Digest of the decompressed image without its signature trailer; null where the record does not say.</summary>
    public Sha256? Content { get; init; }

    public PatchIdentity Identity => new(Digest, Content);

    /// <summary>Why it was disabled: what is wanted may have changed since.</summary>
    public Reason? DisabledFor { get; init; }

    /// <summary>The file system on which its file was when it was loaded or adopted; null: the record does not say.</summary>
    public string? FileSystem { get; init; }

    /// <summary>The patch that was given up and that this one stands in for; null: its own file asked for it.</summary>
    public PatchName? InsteadOf { get; init; }

    /// <summary>How the machine was when the patch was loaded, or when it was last judged; null: the record does not say.</summary>
    public HealthBaseline? Baseline { get; init; }

    /// <summary>Moment of the baseline: what happened before is not held against the patch.</summary>
    public Instant JudgedFrom { get; init; } = StartedAt;

    /// <summary>Somebody must confirm it before the soak ends.</summary>
    public bool MustConfirm { get; init; }

    /// <summary>Duration of the soak that was in force at the load: a reload does not shorten it.</summary>
    public TimeSpan SoakDuration { get; init; }

    /// <summary>What prolonged the soak, and says nothing against the patch: the word of its reason and its evidence; null while nothing has. It happens once.</summary>
    public string? Coincidence { get; init; }

    /// <summary>The soak begins anew here: an operator gave the loaded patch another chance, or something coincided.</summary>
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
public sealed record QuarantineMark(PatchName Name, Reason Reason, string Detail, Instant At, string BootId)
{
    /// <summary>Whose bytes it is about.</summary>
    public PatchIdentity Patch { get; init; }
    public EvidenceGrade Grade { get; init; }

    /// <summary>1, or 2 when these bytes had been found against before, and nobody released or confirmed them since.</summary>
    public int Count { get; init; } = 1;

    /// <summary>How often the host went down with them on probation, and nobody released or confirmed them since.</summary>
    public int Crashes { get; init; }
}

/// <param name="Count">Times that these bytes were taken out.</param>
public sealed record DriftMark(Sha256 Digest, int Count, Instant LastAt);

public sealed record SupersededMark(Sha256 Digest, PatchName By, Sha256? ByDigest);

/// <param name="Mark">Null when its manifest names no stream.</param>
public sealed record DowngradeMark(PatchName Name, StreamMark? Mark);

/// <summary>What is kept by a digest is kept by <see cref="PatchIdentity.Key"/>, and asked by identity.</summary>
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

    /// <summary>
    /// Since when a gate holds the patch of this name back: the deferral budget runs from there. Before the boot where it waited over one.
    /// </summary>
    public ImmutableDictionary<PatchName, Instant> Deferred { get; init; } = ImmutableDictionary<PatchName, Instant>.Empty;

    /// <summary>Waits of earlier boots that nobody has taken up or ended in this one: since when, by the wall clock of then.</summary>
    public ImmutableDictionary<PatchName, DateTimeOffset> DeferredBefore { get; init; } = ImmutableDictionary<PatchName, DateTimeOffset>.Empty;

    /// <summary>Requests of this boot for which no gate counts, and when they were made; spent by the next load or disable.</summary>
    public ImmutableDictionary<PatchName, Instant> Overrides { get; init; } = ImmutableDictionary<PatchName, Instant>.Empty;

    /// <summary>How often somebody took the patch out by hand in this boot: forgotten when an operator applies it.</summary>
    public ImmutableDictionary<PatchName, DriftMark> Drifts { get; init; } = ImmutableDictionary<PatchName, DriftMark>.Empty;

    /// <summary>Until when the gates may hold back what was asked for in this boot, by the calendar; spent as an override is.</summary>
    public ImmutableDictionary<PatchName, DateTimeOffset> Deadlines { get; init; } = ImmutableDictionary<PatchName, DateTimeOffset>.Empty;

    /// <summary>Names that somebody asked for in this boot, and that have not been loaded since: they do not wait for the boot's end.</summary>
    public ImmutableHashSet<PatchName> AskedFor { get; init; } = [];

    /// <summary>Patches whose transition somebody forced in this boot.</summary>
    public ImmutableHashSet<PatchName> Forced { get; init; } = [];

    /// <summary>
    /// Since when a gate holds it back, on this boot's clock; null when none does. Where only the wall clock tells, a clock that went back
    /// makes it now.
    /// </summary>
    public Instant? WaitingSince(PatchName name, Instant now) =>
        Deferred.TryGetValue(name, out var since) ? since
        : !DeferredBefore.TryGetValue(name, out var before) ? null
        : before < now.Wall ? now.After(before - now.Wall)
        : now;

    /// <summary>The patches that this one replaced, and those that they replaced.</summary>
    public ImmutableSortedSet<PatchName> ReplacedBy(PatchName name)
    {
        var found = ImmutableSortedSet<PatchName>.Empty;
        var open = new Stack<PatchName>([name]);
        while (open.TryPop(out var by))
        {
            foreach (var replaced in Superseded.Where(m => m.Value.By == by && m.Key != name && !found.Contains(m.Key)).Select(static m => m.Key).ToList())
            {
                found = found.Add(replaced);
                open.Push(replaced);
            }
        }
        return found;
    }

    /// <summary>What stands against the patch that is in the kernel: a suspect that was loaded again is judged anew.</summary>
    public QuarantineMark? Against(OwnedPatch owned) =>
        Quarantined.Of(owned.Identity) is { } mark
        && !(mark.Grade is EvidenceGrade.Suspect && (mark.BootId != BootId || mark.At.Monotonic < owned.StartedAt.Monotonic))
            ? mark
            : null;

    public bool IsUnconfirmed(PatchName name, PatchIdentity patch) => Unconfirmed.TryGetValue(name, out var mark) && patch.Is(mark);

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
        ImmutableDictionary<Sha256, QuarantineMark>.Empty);
}
