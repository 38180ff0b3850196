// When a failure may be tried again: never on its own for permanent reasons, else after a doubling pause.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Policy;

public static class RetryPolicy
{
    /// <summary>Null: not before the file, the boot or an operator changes it.</summary>
    public static Instant? RetryAt(FailureMark failure, TransitionSettings settings)
    {
        if (failure.Reason.Info().Kind is ReasonKind.Permanent)
            return null;
        // Somebody else's transition was in the way: that passes by itself, and the wait for it costs nothing.
        return failure.Reason is Reason.TransitionInProgress
            ? failure.LastAt.After(TimeSpan.FromSeconds(Math.Min(failure.Count, 30)))
            : failure.LastAt.After(Pause(Stalls.Contains(failure.Reason) ? failure.Reversals : failure.Count, settings) + Jitter(failure, settings));
    }

    /// <summary>
    /// Up to a fifth of the pause, so that a fleet that stalled together does not try again together. The moment of the failure is each
    /// host's own; the same failure always gives the same pause.
    /// </summary>
    private static TimeSpan Jitter(FailureMark failure, TransitionSettings settings)
    {
        if (!Stalls.Contains(failure.Reason))
            return TimeSpan.Zero;
        var spread = (ulong)failure.LastAt.Monotonic.Ticks * 0x9E37_79B9_7F4A_7C15 >> 44;
        return Pause(failure.Reversals, settings) * (spread / (double)(1 << 20)) / 5;
    }

    /// <summary>first × 2^(count-1), at most max.</summary>
    public static TimeSpan Pause(int count, TransitionSettings settings)
    {
        var doublings = Math.Clamp(count - 1, 0, 30);
        var ticks = (double)settings.BackoffFirst.Ticks * (1L << doublings);
        return ticks >= settings.BackoffMax.Ticks ? settings.BackoffMax : TimeSpan.FromTicks((long)ticks);
    }
}
