// One patch as every surface shows it: plain values, compared by value, built once per look.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;

namespace LivePatchd.Publish;

/// <param name="Origin">daemon, adopted, foreign or none.</param>
/// <param name="Identity">Of the loaded module with the file, by their build ids: match, differs or unknown; empty when there are not both.</param>
/// <param name="Since">When its state began.</param>
/// <param name="LoadedSince">First moment at which transition==0 was read; null while it was not.</param>
/// <param name="SoakUntil">End of its probation; null when it is on none, or not active yet.</param>
/// <param name="Attempts">Failed loads of this digest in this boot.</param>
/// <param name="Blockers">Of its running transition, as far as is known.</param>
/// <param name="Impact">Of the latest operation on it; null when none is known.</param>
internal sealed record PatchView(
    PatchName Name,
    PatchState State,
    Reason? Reason,
    string Detail,
    Sha256? Digest,
    BuildId? BuildId,
    string Identity,
    string KernelRelease,
    string Origin,
    string File,
    string Version,
    ImmutableArray<string> Cves,
    ImmutableArray<LivepatchObject> Objects,
    bool? Replace,
    int? StackOrder,
    DateTimeOffset? LoadedSince,
    Instant Since,
    DateTimeOffset? RetryAt,
    DateTimeOffset? SoakUntil,
    int Attempts,
    string LastError,
    ImmutableArray<Blocker> Blockers,
    HistoryEntry? Impact)
{
    public DateTimeOffset StateSince => Since.Wall;

    /// <summary>Since when it has been wanted and not in force, also before this process began where a gate held it then; null when it is not so.</summary>
    public Instant? PendingSince { get; init; }

    /// <summary>The detail as everybody may read it.</summary>
    public string DetailForEverybody => PublicDetail.Of(Reason, Detail);

    /// <summary>Of the finding that stands against it, or that prolonged its soak; null where there is none.</summary>
    public EvidenceGrade? Grade { get; init; }

    /// <summary>Of the manifest, or of the module where that is all there is; of the wanted file.</summary>
    public SignatureEvidence Signature { get; init; } = SignatureEvidence.None;

    /// <summary>Keys of its manifest that are not followed, for it is not signed.</summary>
    public ImmutableArray<string> ManifestIgnored { get; init; } = [];
}

/// <summary>One job: a request that is followed to its end.</summary>
/// <param name="Result">Empty until done.</param>
internal sealed record JobView(uint Id, string Kind, PatchName Patch, string State, string Result);

/// <param name="State">running, observing or unsupported.</param>
/// <param name="Reason">Why not running; null when it is.</param>
internal sealed record HostView(
    string Version,
    string KernelRelease,
    string Mode,
    string State,
    Reason? Reason,
    PatchName? TransitionPatch,
    DateTimeOffset? TransitionSince,
    DateTimeOffset? NextAttempt,
    ulong ConfigGeneration,
    ImmutableArray<string> ConfigErrors,
    ImmutableArray<string> NotInForce,
    ulong Tainted)
{
    /// <summary>Watched directories, in the order of the configuration.</summary>
    public ImmutableArray<string> Directories { get; init; } = [];

    /// <summary>What is not as usual on the host, the worst first.</summary>
    public ImmutableArray<HostCondition> Conditions { get; init; } = [];
}

/// <summary>Everything that is published, swapped as a whole: readers on other threads never see half of a look.</summary>
/// <param name="Blocking">Null while no transition runs.</param>
internal sealed record DaemonSnapshot(
    HostView Host,
    ImmutableArray<PatchView> Patches,
    ImmutableArray<JobView> Jobs,
    ImmutableArray<HoldView> Holds,
    ImmutableArray<RefusedFile> Refused,
    GatesView Gates,
    BlockingView? Blocking,
    string PlanJson,
    ImmutableArray<HistoryEntry> History,
    Instant At);

internal sealed record HoldView(PatchName Patch, Reason Reason, DateTimeOffset? RetryAt);
