// The closed vocabulary of patch states, the same on bus, JSON, metrics, journal and in the documents.
namespace LivePatchd.Core.Model;

public enum PatchState
{
    Staged,
    Held,
    Loading,
    Transitioning,
    Stalled,
    Reversing,
    Soaking,
    Active,
    Reverting,
    Reverted,
    Superseded,
    Quarantined,
    Rejected,
    Unsupported,
    Foreign,
    Forced,
}

public static class PatchStates
{
    /// <summary>The lower-case word every surface shows.</summary>
    public static string Word(this PatchState state) => state switch
    {
        PatchState.Staged => "staged",
        PatchState.Held => "held",
        PatchState.Loading => "loading",
        PatchState.Transitioning => "transitioning",
        PatchState.Stalled => "stalled",
        PatchState.Reversing => "reversing",
        PatchState.Soaking => "soaking",
        PatchState.Active => "active",
        PatchState.Reverting => "reverting",
        PatchState.Reverted => "reverted",
        PatchState.Superseded => "superseded",
        PatchState.Quarantined => "quarantined",
        PatchState.Rejected => "rejected",
        PatchState.Unsupported => "unsupported",
        PatchState.Foreign => "foreign",
        PatchState.Forced => "forced",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    public static PatchState? Parse(string word)
    {
        foreach (var state in Enum.GetValues<PatchState>())
        {
            if (state.Word() == word)
                return state;
        }
        return null;
    }
}
