// open(2) without blocking, and what was opened: the two calls that the runtime does not offer so.
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Ctl.Files;

internal static partial class Posix
{
    public const int RegularFile = 0x8;

    private const int NoControllingTerminal = 0x100;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int EmptyPath = 0x1000;
    private const uint WantTypeAndSize = 0x201;
    private const int Interrupted = 4;

    /// <summary>Null when it cannot be opened. A FIFO opens at once, without waiting for a writer.</summary>
    public static SafeFileHandle? OpenForReading(string path, out int errno)
    {
        do
        {
            var fd = open(path, NoControllingTerminal | NonBlocking | CloseOnExec);
            errno = fd < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (fd >= 0)
                return new SafeFileHandle(fd, ownsHandle: true);
        }
        while (errno == Interrupted);
        return null;
    }

    /// <param name="type">The upper four bits of the mode.</param>
    public static unsafe bool TryStat(SafeFileHandle file, out int type, out long size, out int errno)
    {
        var stat = default(StatX);
        var failed = statx(file, "", EmptyPath, WantTypeAndSize, &stat) != 0;
        errno = failed ? Marshal.GetLastPInvokeError() : 0;
        type = stat.Mode >> 12;
        size = (long)Math.Min(stat.Size, long.MaxValue);
        return !failed;
    }

    public static string NameOf(int type) => type switch
    {
        0x1 => "a FIFO",
        0x2 or 0x6 => "a device",
        0x4 => "a directory",
        0xc => "a socket",
        _ => "no regular file",
    };

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int statx(SafeFileHandle directory, string path, int flags, uint mask, StatX* result);

    // The kernel's struct statx, the same on every architecture; only what is read here has a name.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatX
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(40)]
        public ulong Size;
    }
}
