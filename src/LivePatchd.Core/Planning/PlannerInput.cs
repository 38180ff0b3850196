// Everything the planner may look at.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Planning;

/// <summary>A kernel operation that is running on the worker right now.</summary>
public sealed record Busy(PlanStep Step);

/// <param name="Bar">Null, or why nothing may be changed: observe mode, kill switch, unreadable journal.</param>
/// <param name="Soak">Time a patch is watched after its transition; zero when it is not.</param>
public sealed record PlannerInput(
    ObservedState Seen,
    DesiredState Want,
    Ledger Ledger,
    Settings Settings,
    Reason? Bar,
    Busy? Busy,
    Instant Now,
    TimeSpan Soak = default);
