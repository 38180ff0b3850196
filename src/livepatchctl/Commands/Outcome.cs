// What an apply or a revert ends with, from the job's result and the state the patch is in: the exit code, and words for a bad end.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Commands;

internal static class Outcome
{
    /// <param name="patch">Reverted when the daemon does not know it any more.</param>
    public static int OfApply(JobEnding ending, PatchFacts patch) => ending switch
    {
        { End: JobEnd.Result, Result: "done" } when patch.KnownState.IsUnderWay() => ExitCode.Ok,
        { End: JobEnd.Result, Result: "done" } or { End: JobEnd.Settled } => OfState(patch),
        { End: JobEnd.Result, Result: "held" } => Held(patch),
        { End: JobEnd.Result, Result: "cancelled" } => ExitCode.NotApplied,
        _ => OfBadEnd(ending),
    };

    public static int OfRevert(JobEnding ending, PatchFacts patch) => ending switch
    {
        { End: JobEnd.Result, Result: "done" } => ExitCode.Ok,
        { End: JobEnd.Settled } => patch.KnownState is PatchState.Active or PatchState.Soaking or PatchState.Foreign or PatchState.Forced ? ExitCode.Failed : ExitCode.Ok,
        { End: JobEnd.Result, Result: "held" } => Held(patch),
        _ => OfBadEnd(ending),
    };

    /// <summary>Why it ended so and what to do next; null where the patch's own reason says it.</summary>
    public static (string? Why, string? Next) Words(JobEnding ending) => ending switch
    {
        { End: JobEnd.TimedOut } => ("still under way after the time given", "livepatchctl watch"),
        { End: JobEnd.Interrupted } => ("not waited for, the job goes on", "livepatchctl watch"),
        { Result: "cancelled" } => ("the job was cancelled by an opposite request", "livepatchctl status"),
        { Result: "reversed" } => ("the transition did not complete and was reversed", null),
        _ => (null, null),
    };

    private static int OfBadEnd(JobEnding ending) => ending switch
    {
        { End: JobEnd.TimedOut } => ExitCode.TryLater,
        { End: JobEnd.Interrupted } => ExitCode.Interrupted,
        { Result: "rejected" } => ExitCode.Refused,
        { Result: "reversed" } => ExitCode.Reversed,
        _ => ExitCode.Failed,
    };

    private static int OfState(PatchFacts patch) => patch.KnownState switch
    {
        PatchState.Active or PatchState.Soaking or PatchState.Forced => ExitCode.Ok,
        PatchState.Rejected or PatchState.Quarantined => ExitCode.Refused,
        PatchState.Held => Held(patch),
        PatchState.Reverted or PatchState.Superseded or PatchState.Foreign => ExitCode.NotApplied,
        _ => ExitCode.Failed,
    };

    // A reason that a newer daemon gives and this tool does not know may pass.
    private static int Held(PatchFacts patch) => patch.KnownReason?.Reason.ExitCode() ?? ExitCode.TryLater;
}
