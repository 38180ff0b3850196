// The few system calls the bus loop needs besides sd-bus itself.
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

internal static partial class LibC
{
    internal const int EventFdNonBlocking = 0x800;
    internal const int EventFdCloseOnExec = 0x80000;
    internal const int DuplicateCloseOnExec = 1030;
    internal const short PollIn = 0x1;
    internal const short PollOut = 0x4;
    internal const int MessagePeek = 0x2;
    internal const int MessageDoNotWait = 0x40;
    internal const int SocketLevel = 1;
    internal const int PeekOffset = 42;
    internal const int SignalBlock = 0;
    internal const int SignalSetMask = 2;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint write(SafeHandle fd, ref ulong value, nint size);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint read(SafeHandle fd, ref ulong value, nint size);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int poll(PollFd* fds, ulong count, int timeoutMilliseconds);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint recv(int fd, byte* buffer, nint size, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getsockopt(int fd, int level, int name, out int value, ref int size);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setsockopt(int fd, int level, int name, ref int value, int size);

    [LibraryImport("libc")]
    internal static unsafe partial int pthread_sigmask(int how, ulong* set, ulong* before);

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }
}
