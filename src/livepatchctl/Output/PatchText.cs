// A patch in words: its state with the reason, and the one line that says why it is not where it should be.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Output;

internal static class PatchText
{
    private const int DigestLength = 12;

    public static string StateAndReason(string state, string? reason) => reason is null ? state : $"{state} ({reason})";

    /// <summary>`soaking until 2026-03-01 12:00:01 +01:00 (in 14m 59s)`, and the bare state of a patch that is on no probation.</summary>
    public static string StateAndSoak(PatchFacts patch, TimeProvider clock) =>
        patch is { KnownState: PatchState.Soaking, SoakUntil: { } until } ? $"{patch.State} until {TimeText.LocalAndRelative(until, clock)}"
        : patch is { KnownState: PatchState.Reverted, KnownReason.Reason: Reason.ModulesDisabled } ? $"{patch.State}, module stays until reboot ({patch.Reason})"
        : patch.State;

    public static string ShortDigest(string? digest) => digest is null ? "-" : digest[..Math.Min(DigestLength, digest.Length)];

    /// <summary>The reason's next step, with the patch's name in the place that the table of reasons leaves for it.</summary>
    public static string NextStep(ReasonInfo reason, string patch) => NextStep(reason.NextStep, patch);

    public static string NextStep(string step, string patch) => step.Replace("NAME", patch, StringComparison.Ordinal);

    /// <summary>`lp_x: held (ftrace-disabled): why; next: step`, for a patch that is where nobody wanted it.</summary>
    /// <param name="why">The sentence to show, else the reason's own with its detail.</param>
    /// <param name="next">The step to show, else the reason's own.</param>
    public static string Setback(PatchFacts patch, string? why, string? next)
    {
        var reason = patch.KnownReason;
        var detail = patch.Detail ?? patch.LastError;
        why ??= $"{TextOf.WithoutStop(reason?.Sentence ?? "it is not clear why")}{(detail is null ? "" : $" ({detail})")}";
        next ??= reason is null ? $"livepatchctl show {patch.Name}" : NextStep(reason, patch.Name);
        return TextOf.Clean($"{patch.Name}: {StateAndReason(patch.State, patch.Reason)}: {why}; next: {TextOf.WithoutStop(next)}");
    }
}
