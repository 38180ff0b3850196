// The SHA-256 of bytes in memory, or of an open file read in pieces.
using System.Buffers;
using System.Security.Cryptography;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

internal static class FileDigest
{
    private const int Chunk = 128 << 10;

    internal static Sha256 Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return Sha256.FromBytes(hash);
    }

    /// <summary>Digests of a module's image, and of the image without its signature trailer.</summary>
    internal static (Sha256 Image, Sha256 Content) OfModule(ReadOnlySpan<byte> image)
    {
        var whole = Of(image);
        var unsigned = SignatureTrailer.Unsigned(image);
        return (whole, unsigned.Length == image.Length ? whole : Of(unsigned));
    }

    /// <summary>The descriptor's own position is left alone. EFBIG when there is more than <paramref name="maxSize"/>.</summary>
    internal static SysResult<Sha256> Of(SafeFileHandle file, int maxSize)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var chunk = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            for (long at = 0; ;)
            {
                var read = Sys.ReadAt(file, chunk.AsSpan(0, Chunk), at);
                if (!read.IsOk)
                    return SysResult.Fail<Sha256>(read.Errno, "pread");
                if (read.Value == 0)
                    break;
                at += read.Value;
                if (at > maxSize)
                    return SysResult.Fail<Sha256>(Errno.EFBIG, "pread");
                hash.AppendData(chunk, 0, read.Value);
            }
            Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
            hash.GetHashAndReset(digest);
            return SysResult.Ok(Sha256.FromBytes(digest));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }
}
