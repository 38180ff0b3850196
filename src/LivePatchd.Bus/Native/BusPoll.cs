// Sleeps until the connection, or a second descriptor, has something to do; without a deadline it sleeps for good.
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

[Flags]
internal enum BusPollWoken
{
    Nothing = 0,
    Connection = 1,
    Other = 2,
}

internal static class BusPoll
{
    /// <returns>0, or the negative errno of a connection that is gone.</returns>
    internal static unsafe int Wait(BusHandle bus, SafeHandle? other, TimeSpan timeout, out BusPollWoken woken)
    {
        woken = BusPollWoken.Nothing;
        var events = SdBus.sd_bus_get_events(bus);
        if (events < 0)
        {
            return events;
        }

        var fd = SdBus.sd_bus_get_fd(bus);
        if (fd < 0)
        {
            return fd;
        }

        var result = SdBus.sd_bus_get_timeout(bus, out var busDeadline);
        if (result < 0)
        {
            return result;
        }

        var fds = stackalloc LibC.PollFd[2];
        fds[0] = new LibC.PollFd { Fd = fd, Events = (short)events };
        // poll ignores an entry whose descriptor is negative.
        fds[1] = new LibC.PollFd { Fd = -1, Events = LibC.PollIn };
        var held = false;
        try
        {
            if (other is not null)
            {
                other.DangerousAddRef(ref held);
                fds[1].Fd = (int)other.DangerousGetHandle();
            }

            var count = LibC.poll(fds, 2, Milliseconds(busDeadline, timeout));
            var errno = Marshal.GetLastPInvokeError();
            if (count < 0 && errno != BusErrno.Interrupted)
            {
                return -errno;
            }

            if (count > 0)
            {
                woken = (fds[0].Returned != 0 ? BusPollWoken.Connection : 0) | (fds[1].Returned != 0 ? BusPollWoken.Other : 0);
            }

            return 0;
        }
        finally
        {
            if (held)
            {
                other!.DangerousRelease();
            }
        }
    }

    /// <summary>True when the bus takes more of what is to be sent to it.</summary>
    internal static unsafe bool IsWritable(BusHandle bus, TimeSpan timeout)
    {
        var poll = new LibC.PollFd { Fd = SdBus.sd_bus_get_fd(bus), Events = LibC.PollOut };
        return poll.Fd >= 0 && LibC.poll(&poll, 1, (int)timeout.TotalMilliseconds) > 0;
    }

    /// <summary>True when sd-bus has something to do now that does not come from the socket, or cannot say.</summary>
    internal static bool IsDue(BusHandle bus) =>
        SdBus.sd_bus_get_timeout(bus, out var deadline) < 0 || Milliseconds(deadline, Timeout.InfiniteTimeSpan) == 0;

    /// <param name="busDeadlineMicroseconds">On the monotonic clock, which Stopwatch reads too; all ones for none.</param>
    private static int Milliseconds(ulong busDeadlineMicroseconds, TimeSpan timeout)
    {
        var milliseconds = timeout == Timeout.InfiniteTimeSpan ? double.PositiveInfinity : Math.Max(0, timeout.TotalMilliseconds);
        if (busDeadlineMicroseconds != ulong.MaxValue)
        {
            var now = Stopwatch.GetTimestamp() * (1e6 / Stopwatch.Frequency);
            milliseconds = Math.Min(milliseconds, Math.Max(0, (busDeadlineMicroseconds - now) / 1e3));
        }

        // Rounded up: waking a little early would only poll again.
        return double.IsPositiveInfinity(milliseconds) ? -1 : (int)Math.Min(int.MaxValue, Math.Ceiling(milliseconds));
    }
}
