// Decompresses a module in memory, streamed, bounded in size and in what comes out of each byte. Compiled into livepatchctl too.
using System.IO.Compression;
using LivePatchd.Core.Model;
using SharpCompress.Compressors.Xz;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace LivePatchd.Linux.Store;

internal static partial class Decompressor
{
    // A window larger than the largest module serves nobody.
    private const int MaxZstdWindowLog = 26;

    private const int ReadChunk = 64 << 10;

    // A module with its debug information shrinks to a tenth. What grows faster than this is no module, however small the file.
    private const int MaxRatio = 100;

    // Small files may be mostly padding, and the decoders read some bytes ahead of what they give out.
    private const int RatioFreeSize = 4 << 20;

    /// <summary>What the file name says; null when it is no module's name.</summary>
    internal static ModuleCompression? FromName(string name, out int stemLength)
    {
        (string Suffix, ModuleCompression Compression)[] suffixes =
        [
            (".ko", ModuleCompression.None),
            (".ko.xz", ModuleCompression.Xz),
            (".ko.zst", ModuleCompression.Zstd),
            (".ko.gz", ModuleCompression.Gzip),
        ];
        foreach (var (suffix, compression) in suffixes)
        {
            stemLength = name.Length - suffix.Length;
            if (stemLength > 0 && name.EndsWith(suffix, StringComparison.Ordinal))
                return compression;
        }
        stemLength = 0;
        return null;
    }

    internal static string Suffix(ModuleCompression compression) => compression switch
    {
        ModuleCompression.None => ".ko",
        ModuleCompression.Xz => ".ko.xz",
        ModuleCompression.Zstd => ".ko.zst",
        ModuleCompression.Gzip => ".ko.gz",
        _ => throw new ArgumentOutOfRangeException(nameof(compression)),
    };

    internal static bool HasMagic(ReadOnlySpan<byte> content, ModuleCompression compression) => compression switch
    {
        ModuleCompression.Xz => content.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]),
        ModuleCompression.Zstd => content.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]),
        ModuleCompression.Gzip => content.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]),
        _ => true,
    };

    /// <param name="target">One byte longer than what is accepted: a byte in there says that there is more.</param>
    /// <returns>Null when the target's first <paramref name="length"/> bytes are all of the image.</returns>
    internal static Refusal? Decompress(Stream packed, ModuleCompression compression, Span<byte> target, out int length)
    {
        length = 0;
        try
        {
            using var plain = Open(packed, compression);
            return !Fill(plain, packed, target, ref length) ? new Refusal(Reason.DecompressedTooLarge, $"more than {MaxRatio} times its compressed size")
                : length == target.Length ? new Refusal(Reason.DecompressedTooLarge, $"more than {target.Length - 1} bytes once decompressed")
                : null;
        }
        catch (Exception e)
        {
            // Three decoders, each with its own exceptions for damaged input, and all input here is of unknown origin.
            return new Refusal(Reason.CorruptCompression, $"{compression}: {e.GetType().Name}");
        }
    }

    /// <summary>False when more comes out than the bytes read so far can honestly hold.</summary>
    private static bool Fill(Stream plain, Stream packed, Span<byte> target, ref int length)
    {
        // In pieces: a stream without a span overload of its own rents an array as large as the span it is given.
        while (length < target.Length)
        {
            var count = plain.Read(target.Slice(length, Math.Min(ReadChunk, target.Length - length)));
            if (count == 0)
                break;
            length += count;
            if (length > RatioFreeSize && length / MaxRatio > packed.Position)
                return false;
        }
        return true;
    }

    private static Stream Open(Stream content, ModuleCompression compression)
    {
        switch (compression)
        {
            case ModuleCompression.Gzip:
                return new GZipStream(content, CompressionMode.Decompress);
            case ModuleCompression.Xz:
                return new XZStream(content);
            case ModuleCompression.Zstd:
                var zstd = new DecompressionStream(content);
                zstd.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaxZstdWindowLog);
                return zstd;
            default:
                throw new ArgumentOutOfRangeException(nameof(compression));
        }
    }
}
