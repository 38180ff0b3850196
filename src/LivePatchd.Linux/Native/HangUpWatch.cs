// Many descriptors watched for their other side's end through one, which is readable when some have hung up.
using System.Runtime.InteropServices;
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Native;

/// <summary>What the other side writes is never read and wakes nobody. A descriptor that is closed is watched no more.</summary>
public sealed class HangUpWatch : IDisposable
{
    private const int Batch = 16;

    // struct epoll_event is packed on x86-64, and there only.
    private static readonly int DataAt = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int Size = DataAt + sizeof(ulong);

    /// <exception cref="IOException">The process or the host is out of file descriptors.</exception>
    public HangUpWatch()
    {
        var fd = LibC.epoll_create1(LibC.CloseOnExec);
        if (fd < 0)
            throw new IOException($"epoll_create1: {Sys.LastError()}");
        Fd = new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>To be polled.</summary>
    public SafeFileHandle Fd { get; }

    /// <param name="id">Given back when the other side is gone.</param>
    public unsafe SysResult Add(SafeFileHandle watched, ulong id)
    {
        var change = stackalloc byte[Size];
        *(uint*)change = LibC.EpollHangUp; // Reported whether asked for or not; nothing else is.
        *(ulong*)(change + DataAt) = id;
        return LibC.epoll_ctl(Fd, LibC.EpollAdd, watched, change) == 0 ? SysResult.Success : Sys.Fail("epoll_ctl");
    }

    /// <summary>Those that have hung up, a batch at most, without waiting. The caller closes them, or is told again.</summary>
    public unsafe ulong[] Gone()
    {
        var events = stackalloc byte[Batch * Size];
        int count;
        do
        {
            count = LibC.epoll_wait(Fd, events, Batch, timeoutMilliseconds: 0);
        }
        while (count < 0 && Sys.LastError() is Errno.EINTR);
        var gone = new ulong[Math.Max(0, count)];
        for (var i = 0; i < gone.Length; i++)
            gone[i] = *(ulong*)(events + (i * Size) + DataAt);
        return gone;
    }

    public void Dispose() => Fd.Dispose();
}
