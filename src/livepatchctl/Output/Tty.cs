// Asks the kernel about a terminal, never the terminal itself: is it one, and how large.
using System.Runtime.InteropServices;

namespace LivePatchd.Ctl.Output;

internal static partial class Tty
{
    private const nuint GetWindowSize = 0x5413;

    public static bool Is(int fd) => isatty(fd) == 1;

    /// <summary>Null when the terminal does not know.</summary>
    public static (int Columns, int Rows)? Size(int fd) =>
        ioctl(fd, GetWindowSize, out var size) == 0 && size is { Columns: > 0, Rows: > 0 } ? (size.Columns, size.Rows) : null;

    [LibraryImport("libc")]
    private static partial int isatty(int fd);

    [LibraryImport("libc")]
    private static partial int ioctl(int fd, nuint request, out WindowSize size);

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort PixelsWide;
        public ushort PixelsHigh;
    }
}
