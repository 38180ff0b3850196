// Reasons for which a transition is taken back although the patch is wanted: what they are, and when they are final.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Policy;

public static class Stalls
{
    /// <summary>Taken back by policy; each such time is an attempt.</summary>
    public static bool Contains(Reason reason) =>
        reason is Reason.TransitionStalled or Reason.AbortedUnderPressure or Reason.MadeWay or Reason.NeverCompletes;

    /// <summary>No further attempt is made by itself.</summary>
    public static bool IsExhausted(FailureMark mark, TransitionSettings settings)
    {
        ArgumentNullException.ThrowIfNull(mark);
        ArgumentNullException.ThrowIfNull(settings);
        return mark.Reason.Info().Kind is not ReasonKind.Permanent && mark.Reversals >= settings.Attempts;
    }
}
