// Opens and reads the files of one task relative to its directory, with plain descriptors and names on the stack.
using System.Buffers.Text;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Tasks;

internal static unsafe class TaskFiles
{
    /// <summary>Longest path below /proc that is built here, NUL included.</summary>
    private const int MaxPath = 64;

    /// <summary>"NUMBER" + <paramref name="tail"/> below the directory. Negative errno when it cannot be opened.</summary>
    internal static int Open(int directory, int number, ReadOnlySpan<byte> tail, int flags)
    {
        Span<byte> path = stackalloc byte[MaxPath];
        Utf8Formatter.TryFormat(number, path, out var length);
        tail.CopyTo(path[length..]);
        path[length + tail.Length] = 0;
        fixed (byte* start = path)
        {
            while (true)
            {
                // Non-blocking: a test tree may hold anything under the name of a file.
                var fd = LibC.openat(directory, start, flags | LibC.NonBlock | LibC.CloseOnExec, 0);
                if (fd >= 0)
                    return fd;
                var error = Sys.LastError();
                if (error != Errno.EINTR)
                    return -(int)error;
            }
        }
    }

    /// <summary>What fits of the file. Negative errno when it cannot be read.</summary>
    internal static int Read(int directory, int number, ReadOnlySpan<byte> tail, Span<byte> buffer)
    {
        var fd = Open(directory, number, tail, LibC.ReadOnly);
        if (fd < 0)
            return fd;
        var total = 0;
        fixed (byte* start = buffer)
        {
            while (total < buffer.Length)
            {
                var count = LibC.read(fd, start + total, buffer.Length - total);
                if (count == 0)
                    break;
                if (count > 0)
                {
                    total += (int)count;
                    continue;
                }
                var error = Sys.LastError();
                if (error == Errno.EINTR)
                    continue;
                total = -(int)error;
                break;
            }
        }
        _ = LibC.close(fd);
        return total;
    }

    /// <summary>patch_state: -1, 0 or 1; null and the negative errno when it cannot be read, 0 when it is no such number.</summary>
    internal static int? PatchState(int tasks, int tid, out int error)
    {
        Span<byte> value = stackalloc byte[4];
        // One read is enough: the attribute is written in one go, and a second one to see the end would be a quarter of the pass.
        var fd = Open(tasks, tid, "/patch_state"u8, LibC.ReadOnly);
        error = fd < 0 ? fd : 0;
        if (fd < 0)
            return null;
        nint length;
        fixed (byte* start = value)
            length = LibC.read(fd, start, value.Length);
        error = length < 0 ? -(int)Sys.LastError() : 0;
        _ = LibC.close(fd);
        if (length <= 0)
            return null;
        return value[..(int)length] switch
        {
            [(byte)'0', ..] => 0,
            [(byte)'1', ..] => 1,
            [(byte)'-', (byte)'1', ..] => -1,
            _ => null,
        };
    }
}
