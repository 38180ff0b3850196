// A wake-up that any thread may ring and one poll loop waits for.
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Native;

/// <summary>Rings between two drains count as one.</summary>
public sealed class EventFd : IDisposable
{
    /// <exception cref="IOException">The process or the host is out of file descriptors.</exception>
    public EventFd()
    {
        var fd = LibC.eventfd(0, LibC.NonBlock | LibC.CloseOnExec);
        if (fd < 0)
            throw new IOException($"eventfd: {Sys.LastError()}");
        Fd = new SafeFileHandle(fd, ownsHandle: true);
    }

    public SafeFileHandle Fd { get; }

    public unsafe void Signal()
    {
        // EAGAIN means the counter is full: it is rung already.
        var one = 1UL;
        while (LibC.Raw.write(Fd, (byte*)&one, sizeof(ulong)) < 0 && Sys.LastError() == Errno.EINTR)
        {
        }
    }

    public unsafe void Drain()
    {
        ulong count;
        while (LibC.Raw.read(Fd, (byte*)&count, sizeof(ulong)) < 0 && Sys.LastError() == Errno.EINTR)
        {
        }
    }

    public void Dispose() => Fd.Dispose();
}
