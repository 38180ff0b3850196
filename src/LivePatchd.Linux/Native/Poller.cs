// Waits until one of several file descriptors has something to say, or time is up.
using System.Runtime.InteropServices;
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Native;

public static class Poller
{
    /// <summary>At most this many descriptors in one wait.</summary>
    public const int MaxDescriptors = 64;

    /// <summary>
    /// Sets <paramref name="ready"/> for each descriptor that is readable or in error; the value is their number, 0 when time is up.
    /// A null handle is never ready. A null timeout waits for ever. A signal does not shorten or lengthen the wait.
    /// </summary>
    public static unsafe SysResult<int> Wait(
        ReadOnlySpan<SafeHandle?> fds, Span<bool> ready, TimeSpan? timeout, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fds.Length, MaxDescriptors);
        ArgumentOutOfRangeException.ThrowIfLessThan(ready.Length, fds.Length);
        var polled = stackalloc LibC.PollFd[fds.Length];
        var held = 0;
        try
        {
            for (; held < fds.Length; held++)
            {
                var added = false;
                fds[held]?.DangerousAddRef(ref added);
                polled[held] = new LibC.PollFd { Fd = added ? (int)fds[held]!.DangerousGetHandle() : -1, Events = LibC.PollIn };
            }
            var start = clock.GetTimestamp();
            while (true)
            {
                var count = LibC.poll(polled, (ulong)fds.Length, Milliseconds(timeout, clock.GetElapsedTime(start)));
                if (count >= 0)
                {
                    for (var i = 0; i < fds.Length; i++)
                        ready[i] = polled[i].Returned != 0;
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

    private static int Milliseconds(TimeSpan? timeout, TimeSpan passed)
    {
        if (timeout is not { } wait || wait == Timeout.InfiniteTimeSpan)
            return -1;
        // Rounded up: a wait that ends early would make the caller spin for the last fraction of a millisecond.
        var left = Math.Ceiling((wait - passed).TotalMilliseconds);
        return left <= 0 ? 0 : (int)Math.Min(left, int.MaxValue);
    }
}
