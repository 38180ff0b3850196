// The planner's answer: ordered steps, what is held and why, what is true of each patch, and when to look again.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Planning;

/// <param name="RetryAt">Null when only a change (file, sysctl, operator, reboot) lifts it.</param>
public sealed record Hold(PatchName Name, Reason Reason, Instant? RetryAt);

/// <summary>What is true of one patch now.</summary>
/// <param name="Digest">Of the bytes in question: the wanted ones, or the loaded ones when nothing is wanted.</param>
/// <param name="Detail">The kernel's or the file's own words behind the reason.</param>
public sealed record Verdict(
    PatchName Name,
    LifecycleEvent Event,
    Reason? Reason = null,
    Instant? RetryAt = null,
    Sha256? Digest = null,
    BuildId? BuildId = null,
    string? Path = null,
    string? Detail = null);

/// <param name="WakeAt">Next moment at which time alone may change the plan; null when only events can.</param>
public sealed record Plan(
    ImmutableArray<PlanStep> Steps,
    ImmutableArray<Hold> Holds,
    ImmutableArray<Verdict> Verdicts,
    Instant? WakeAt)
{
    /// <summary>Nothing is to be done or awaited.</summary>
    public bool IsEmpty => Steps.IsEmpty;
}
