// One fact that must survive the daemon: an intent, its outcome, or an operator's decision.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Recovery;

public enum RecordKind
{
    /// <summary>Written and synced before finit_module.</summary>
    LoadIntent,

    /// <summary>finit_module returned 0, or the module of an open intent was found in the kernel.</summary>
    Loaded,

    /// <summary>finit_module failed; Reason and Errno say how.</summary>
    LoadFailed,

    /// <summary>An open intent of this boot left nothing in the kernel.</summary>
    Abandoned,

    /// <summary>A patch that somebody else loaded is exactly the build the directory wants: it is ours from here on.</summary>
    Adopted,

    /// <summary>The file of a loaded patch is another one by now, with the same content: packed or signed again, or under another name.</summary>
    Filed,

    /// <summary>transition==0 was read for the first time after the load.</summary>
    Activated,

    /// <summary>Written before 0 goes into `enabled`, or before an enable is reversed.</summary>
    DisableIntent,

    /// <summary>Written before 1 goes into `enabled` of a patch whose disable did not end: it is active again, and the revert has failed.</summary>
    Reenabled,

    /// <summary>A gate began to hold the patch back, at this moment; before the boot when it waited over one.</summary>
    Deferred,

    /// <summary>No gate holds it back any more.</summary>
    Undeferred,

    /// <summary>Written before an operator's force: nothing else is loaded in this boot.</summary>
    Forced,

    /// <summary>The write to `enabled` or the removal failed.</summary>
    RevertFailed,

    /// <summary>A cumulative patch (By) replaced this one in the kernel.</summary>
    Superseded,

    /// <summary>The patch left the kernel and we did not do it.</summary>
    DisabledByHand,

    /// <summary>The module is out of the kernel; Reason says why.</summary>
    Gone,

    OperatorReverted,
    OperatorApplied,

    /// <summary>Never to be loaded again until Released; Reason and Detail are the evidence, Baseline how the machine is now.</summary>
    Quarantined,
    Released,

    /// <summary>Something happened during the soak that says nothing against the patch; the soak begins anew, once. Reason and Detail say what.</summary>
    Coincided,

    /// <summary>The soak passed, or an operator confirmed: these bytes are trusted from here on, in other boots too.</summary>
    Confirmed,

    /// <summary>Nobody confirmed it in time.</summary>
    Unconfirmed,

    // High-water marks.
    /// <summary>The patch is active with this mark: nothing older of its stream is loaded from here on.</summary>
    MarkRaised,
}

/// <param name="BootId">Boot in which it happened; Monotonic of <paramref name="At"/> is of that boot.</param>
/// <param name="Path">File that asked for it, where one did.</param>
/// <param name="By">Superseding patch; with a load intent the patch that was given up, and that this one stands in for.</param>
/// <param name="ByDigest">Its digest when it is ours.</param>
public sealed record JournalRecord(
    RecordKind Kind,
    PatchName Name,
    string BootId,
    Instant At,
    Sha256? Digest = null,
    BuildId? BuildId = null,
    string? Path = null,
    Reason? Reason = null,
    Errno Errno = Errno.None,
    string? Detail = null,
    PatchName? By = null,
    Sha256? ByDigest = null)
{
    /// <summary>Of the decompressed image without its signature trailer, beside Digest.</summary>
    public Sha256? Content { get; init; }

    /// <summary>Null where the record is not about certain bytes.</summary>
    public PatchIdentity? Identity => Digest is { } digest ? new PatchIdentity(digest, Content) : null;

    /// <summary>With a load intent or an adoption: the file system that the file at Path was on.</summary>
    public string? FileSystem { get; init; }

    /// <summary>With an operator's request: no gate counts for it.</summary>
    public bool OverrideGates { get; init; }

    /// <summary>With an operator's apply: gates that are closed hold it no longer than this.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>With a load intent: somebody must confirm the patch. With an apply: the next load is such a one.</summary>
    public bool MustConfirm { get; init; }

    /// <summary>With a load intent, an adoption or a finding: how the machine is at this moment.</summary>
    public HealthBaseline? Baseline { get; init; }

    /// <summary>With a finding: how strongly it speaks against the patch.</summary>
    public EvidenceGrade Grade { get; init; }

    /// <summary>With a load intent or adoption: the soak that was in force then; a reload does not shorten it.</summary>
    public TimeSpan SoakDuration { get; init; }

    /// <summary>The patch's place in its stream.</summary>
    public StreamMark? Mark { get; init; }

    /// <summary>With an apply: a program of the boot asked, not a person.</summary>
    public bool WaitsForBoot { get; init; }

    /// <summary>With an operator's apply: these bytes (Digest) may be loaded although the stream is further.</summary>
    public bool Downgrade { get; init; }
}
