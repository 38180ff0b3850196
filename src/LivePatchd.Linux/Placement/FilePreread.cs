// Brings a whole module file into the page cache, so that the kernel does no I/O while it holds its locks.
using System.Buffers;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Placement;

public static unsafe class FilePreread
{
    private const int Chunk = 64 << 10;

    /// <summary>Bytes read. The descriptor's position stays where it is.</summary>
    public static SysResult<long> Run(SafeFileHandle file)
    {
        // Lets the device work ahead of the reads; refused, the reads do it alone.
        _ = LibC.posix_fadvise(file, 0, 0, LibC.AdviseWillNeed);
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            return ReadAll(file, buffer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static SysResult<long> ReadAll(SafeFileHandle file, byte[] buffer)
    {
        long total = 0;
        while (true)
        {
            nint count;
            fixed (byte* start = buffer)
                count = LibC.pread(file, start, Chunk, total);
            if (count == 0)
                return SysResult.Ok(total);
            if (count > 0)
                total += count;
            else if (Sys.LastError() != Errno.EINTR)
                return Sys.Fail<long>("pread");
        }
    }
}
