// The states that a patch passes through by itself, as opposed to those it rests in.
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Client;

internal static class UnderWay
{
    public static bool IsUnderWay(this PatchState? state) => state
        is PatchState.Staged or PatchState.Loading or PatchState.Transitioning or PatchState.Stalled or PatchState.Reversing or PatchState.Reverting;
}
