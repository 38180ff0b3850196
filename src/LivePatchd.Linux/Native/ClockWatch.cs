// Rings when somebody sets the wall clock, or the machine has slept: what is judged by the calendar is judged anew.
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Native;

/// <summary>A timer that never expires, and that the kernel cancels when the clock is set. Not thread-safe.</summary>
public sealed class ClockWatch : IDisposable
{
    public ClockWatch()
    {
        var fd = LibC.timerfd_create(LibC.ClockRealTime, LibC.NonBlock | LibC.CloseOnExec);
        if (fd < 0)
            return;
        Fd = new SafeFileHandle(fd, ownsHandle: true);
        Arm();
    }

    /// <summary>Null where the host has none to spare: then the calendar is looked at when something else happens.</summary>
    public SafeFileHandle? Fd { get; }

    /// <summary>True when the clock was set since the last call.</summary>
    public bool Drain()
    {
        if (Fd is null)
            return false;
        Span<byte> expirations = stackalloc byte[sizeof(ulong)];
        var read = Sys.ReadOnce(Fd, expirations);
        if (read.Errno is Errno.EAGAIN)
            return false;
        Arm();
        return true;
    }

    public void Dispose() => Fd?.Dispose();

    private unsafe void Arm()
    {
        var never = new LibC.TimerSpec { Seconds = long.MaxValue };
        _ = LibC.timerfd_settime(Fd!, LibC.TimerAbsolute | LibC.TimerCancelOnSet, &never, null);
    }
}
