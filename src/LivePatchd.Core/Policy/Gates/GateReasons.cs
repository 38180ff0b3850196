// The reason that a closed gate gives.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

public static class GateReasons
{
    public static Reason Of(Gate gate) => gate switch
    {
        Gate.Inhibitor => Reason.Inhibited,
        Gate.Hold => Reason.OperatorHold,
        Gate.Uptime => Reason.UptimeTooShort,
        Gate.Window => Reason.OutsideWindow,
        Gate.Load => Reason.LoadTooHigh,
        Gate.IoPressure => Reason.IoPressure,
        Gate.CpuPressure => Reason.CpuPressure,
        Gate.MemoryPressure => Reason.MemoryPressure,
        Gate.Network => Reason.NetworkPressure,
        _ => throw new ArgumentOutOfRangeException(nameof(gate)),
    };

    public static Reason Of(GateState closed)
    {
        ArgumentNullException.ThrowIfNull(closed);
        return closed.Available ? Of(closed.Gate) : Reason.GateUnavailable;
    }

    /// <summary>What the gates say to somebody who waits at them.</summary>
    public static bool Contains(Reason reason) =>
        reason is Reason.GatesSettling or Reason.GateUnavailable or Reason.DeferralExhausted || Enum.GetValues<Gate>().Any(g => Of(g) == reason);
}
