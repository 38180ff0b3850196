// Hands a text file of the kernel over line by line, in small chunks and up to a limit, so that its size costs time and no memory.
using System.Buffers;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Preflight;

/// <returns>False: no further line is wanted.</returns>
internal delegate bool TakeLine(ReadOnlySpan<byte> line);

internal static class LineStream
{
    private const int ChunkSize = 64 << 10;

    /// <summary>
    /// EFBIG when the file is longer than <paramref name="maxBytes"/> or has a line longer than a chunk: what was handed over is not all.
    /// A last line without its end is left out.
    /// </summary>
    /// <returns>Bytes read.</returns>
    internal static SysResult<long> Read(string path, long maxBytes, TakeLine take)
    {
        var opened = Sys.Open(path, LibC.ReadOnly | LibC.NonBlock);
        if (!opened.IsOk)
            return SysResult.Fail<long>(opened.Errno, "open");
        using var file = opened.Value;
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            long total = 0;
            var kept = 0;
            while (true)
            {
                var read = Sys.ReadOnce(file, buffer.AsSpan(kept));
                if (!read.IsOk)
                    return SysResult.Fail<long>(read.Errno, "read");
                if (read.Value == 0)
                    return SysResult.Ok(total);
                if ((total += read.Value) > maxBytes)
                    return SysResult.Fail<long>(Errno.EFBIG, "read");
                ReadOnlySpan<byte> text = buffer.AsSpan(0, kept + read.Value);
                while (text.IndexOf((byte)'\n') is >= 0 and var end)
                {
                    if (!take(text[..end]))
                        return SysResult.Ok(total);
                    text = text[(end + 1)..];
                }
                if (text.Length == buffer.Length)
                    return SysResult.Fail<long>(Errno.EFBIG, "read");
                text.CopyTo(buffer);
                kept = text.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
