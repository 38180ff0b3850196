// Waits until one of several file descriptors has something to say, or time is up.
using System.Runtime.InteropServices;
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Native;

/// <summary>What one descriptor had to say.</summary>
public enum PollOutcome
{
    Quiet,

    /// <summary>Readable, or urgent where that was asked.</summary>
    Ready,

    /// <summary>In error or at its end: it will say so again at once, so the caller must let go of it.</summary>
    Broken,
}

public static class Poller
{
    /// <summary>At most this many descriptors in one wait.</summary>
    public const int MaxDescriptors = 64;

    /// <summary>
    /// Sets <paramref name="ready"/> for each descriptor that is readable or in error; the value is their number, 0 when time is up.
    /// A null handle is never ready. A null timeout waits for ever. A signal does not shorten or lengthen the wait.
    /// </summary>
    public static SysResult<int> Wait(ReadOnlySpan<SafeHandle?> fds, Span<bool> ready, TimeSpan? timeout, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fds.Length, MaxDescriptors);
        ArgumentOutOfRangeException.ThrowIfLessThan(ready.Length, fds.Length);
        Span<PollOutcome> outcomes = stackalloc PollOutcome[fds.Length];
        var result = Wait(fds, urgent: [], outcomes, timeout, clock);
        for (var i = 0; result.IsOk && i < fds.Length; i++)
            ready[i] = outcomes[i] is not PollOutcome.Quiet;
        return result;
    }

    /// <summary>The same, told apart; some descriptors may be waited for until they are urgent (POLLPRI) instead of readable.</summary>
    /// <param name="urgent">For each descriptor; those beyond its end are waited for until they are readable.</param>
    public static unsafe SysResult<int> Wait(
        ReadOnlySpan<SafeHandle?> fds, ReadOnlySpan<bool> urgent, Span<PollOutcome> outcomes, TimeSpan? timeout, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fds.Length, MaxDescriptors);
        ArgumentOutOfRangeException.ThrowIfLessThan(outcomes.Length, fds.Length);
        var polled = stackalloc LibC.PollFd[fds.Length];
        var held = 0;
        try
        {
            for (; held < fds.Length; held++)
            {
                var added = false;
                fds[held]?.DangerousAddRef(ref added);
                polled[held] = new LibC.PollFd
                {
                    Fd = added ? (int)fds[held]!.DangerousGetHandle() : -1,
                    Events = held < urgent.Length && urgent[held] ? LibC.PollPri : LibC.PollIn,
                };
            }
            var start = clock.GetTimestamp();
            while (true)
            {
                var count = LibC.poll(polled, (ulong)fds.Length, Milliseconds(timeout, clock.GetElapsedTime(start)));
                if (count >= 0)
                {
                    for (var i = 0; i < fds.Length; i++)
                        outcomes[i] = OutcomeOf(polled[i].Returned);
                    return SysResult.Ok(count);
                }
                if (Sys.LastError() is var errno && errno != Errno.EINTR)
                    return SysResult.Fail<int>(errno, "poll");
            }
        }
        finally
        {
            while (held-- > 0)
                fds[held]?.DangerousRelease();
        }
    }

    // A pipe that was closed with something left in it is to be read first.
    private static PollOutcome OutcomeOf(short returned) =>
        (returned & (LibC.PollErr | LibC.PollInvalid)) != 0 ? PollOutcome.Broken
        : (returned & (LibC.PollIn | LibC.PollPri)) != 0 ? PollOutcome.Ready
        : (returned & LibC.PollHup) != 0 ? PollOutcome.Broken
        : PollOutcome.Quiet;

    private static int Milliseconds(TimeSpan? timeout, TimeSpan passed)
    {
        if (timeout is not { } wait || wait == Timeout.InfiniteTimeSpan)
            return -1;
        // Rounded up: a wait that ends early would make the caller spin for the last fraction of a millisecond.
        var left = Math.Ceiling((wait - passed).TotalMilliseconds);
        return left <= 0 ? 0 : (int)Math.Min(left, int.MaxValue);
    }
}
