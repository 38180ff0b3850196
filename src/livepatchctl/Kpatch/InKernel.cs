// Whether the kernel has a patch, by what the daemon says of it, and in which of kpatch's four states.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Kpatch;

internal static class InKernel
{
    /// <summary>Objects come from the kernel's own directory of the patch: a held or quarantined one that has any is in there.</summary>
    public static bool Is(PatchFacts patch) => patch.Objects.Count > 0 || patch.LoadedSince is not null || patch.KnownState
        is PatchState.Transitioning or PatchState.Stalled or PatchState.Reversing or PatchState.Soaking or PatchState.Active
        or PatchState.Reverting or PatchState.Foreign or PatchState.Forced;

    /// <summary>Not there, and loaded sooner or later unless somebody says otherwise.</summary>
    public static bool IsOnItsWay(PatchFacts patch) =>
        !Is(patch) && patch.KnownState is PatchState.Staged or PatchState.Held or PatchState.Loading or PatchState.Superseded;

    /// <summary>A newer one stands in its place: out of the kernel already, or on its way out.</summary>
    public static bool IsReplaced(PatchFacts patch) =>
        patch is { KnownState: PatchState.Superseded } or { KnownState: PatchState.Reverting, KnownReason.Reason: Reason.ReplacedByNewer };

    /// <param name="enabling">Of the running transition when it is this patch's; null when that is not known.</param>
    public static string State(PatchFacts patch, bool inTransition, bool? enabling) => (enabling, patch.KnownState) switch
    {
        (false, _) => "disabling...",
        (true, _) => "enabling...",
        (_, PatchState.Reversing or PatchState.Reverting) => "disabling...",
        (_, PatchState.Transitioning or PatchState.Stalled) => "enabling...",
        _ when inTransition => "enabling...",
        (_, PatchState.Superseded or PatchState.Reverted) => "disabled",
        _ => "enabled",
    };
}
