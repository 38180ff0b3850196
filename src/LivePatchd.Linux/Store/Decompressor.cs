// Decompresses a module in memory, bounded in size and in what comes out of each byte. Compiled into livepatchctl too.
using System.Buffers.Binary;
using System.IO.Compression;
using LivePatchd.Core.Model;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace LivePatchd.Linux.Store;

internal static partial class Decompressor
{
    private const int ReadChunk = 64 << 10;

    // A module with its debug information shrinks to a tenth. What grows faster than this is no module, however small the file.
    private const int MaxRatio = 100;

    // Small files may be mostly padding.
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
        ModuleCompression.Zstd => content.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) || IsSkippable(content),
        ModuleCompression.Gzip => content.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]),
        _ => true,
    };

    /// <summary>zstd's frames that hold notes: some tools begin a file with one (RFC 8878, 3.1.2).</summary>
    private static bool IsSkippable(ReadOnlySpan<byte> content) => content.Length > 4 && (content[0] & 0xF0) == 0x50 && content[1..4].SequenceEqual((ReadOnlySpan<byte>)[0x2A, 0x4D, 0x18]);

    /// <param name="target">One byte longer than what is accepted: a byte in there says that there is more.</param>
    /// <returns>Null when the target's first <paramref name="length"/> bytes are all of the image.</returns>
    internal static Refusal? Decompress(ReadOnlySpan<byte> packed, ModuleCompression compression, Span<byte> target, out int length)
    {
        length = 0;
        var most = Math.Min(target.Length - 1L, Math.Max(RatioFreeSize, (long)packed.Length * MaxRatio));
        try
        {
            return compression switch
            {
                ModuleCompression.Gzip => Gzip(packed, target, most, out length),
                ModuleCompression.Xz => Xz(packed, target, most, out length),
                ModuleCompression.Zstd => Zstd(packed, target, most, out length),
                _ => throw new ArgumentOutOfRangeException(nameof(compression)),
            };
        }
        catch (Exception e) when (e is not ArgumentOutOfRangeException { ParamName: nameof(compression) })
        {
            // The decoders have exceptions of their own for damaged input, and all input here is of unknown origin.
            return Corrupt(compression, $"its content is damaged ({e.GetType().Name})");
        }
    }

    private static Refusal? Xz(ReadOnlySpan<byte> packed, Span<byte> target, long most, out int length)
    {
        length = 0;
        var (blocks, wrong) = XzFile.Read(packed);
        if (wrong is not null)
            return Corrupt(ModuleCompression.Xz, wrong);
        foreach (var block in blocks)
        {
            if (block.Size > most - length)
                return TooLarge(target.Length - 1, most);
            var size = (int)block.Size;
            if (XzFile.Decode(packed, block, target.Slice(length, size)) is { } damage)
                return Corrupt(ModuleCompression.Xz, damage);
            length += size;
        }
        return null;
    }

    // In one piece: the target is the window, so that none is allocated however large the file wants it. Frames follow each other, and skippable ones are skipped.
    private static Refusal? Zstd(ReadOnlySpan<byte> packed, Span<byte> target, long most, out int length)
    {
        length = 0;
        using var decompressor = new ZstdSharp.Decompressor();
        try
        {
            length = decompressor.Unwrap(packed, target[..(int)most]);
            return null;
        }
        catch (ZstdException e)
        {
            return e.Code is ZSTD_ErrorCode.ZSTD_error_dstSize_tooSmall ? TooLarge(target.Length - 1, most) : Corrupt(ModuleCompression.Zstd, Cause(e.Code));
        }
    }

    private static string Cause(ZSTD_ErrorCode code) => code switch
    {
        ZSTD_ErrorCode.ZSTD_error_srcSize_wrong => "it is cut off, or something that is no frame follows it",
        ZSTD_ErrorCode.ZSTD_error_checksum_wrong => "the checksum of its content is wrong",
        ZSTD_ErrorCode.ZSTD_error_dictionary_wrong => "it was compressed with a dictionary that is not in it",
        ZSTD_ErrorCode.ZSTD_error_prefix_unknown => "something that is no frame follows it",
        _ => $"its content is damaged ({code})",
    };

    private static unsafe Refusal? Gzip(ReadOnlySpan<byte> packed, Span<byte> target, long most, out int length)
    {
        length = 0;
        fixed (byte* start = packed)
        {
            using var content = new UnmanagedMemoryStream(start, packed.Length);
            using var plain = new GZipStream(content, CompressionMode.Decompress);
            while (length <= most)
            {
                var count = plain.Read(target.Slice(length, Math.Min(ReadChunk, target.Length - length)));
                if (count == 0)
                    return IsEndOfGzip(packed, target[..length]) ? null : Corrupt(ModuleCompression.Gzip, "it does not end with the length and checksum of its content: it is cut off, or something follows it");
                length += count;
                // Of what was read so far: a large file is not written out to the limit before it is told.
                if (length > Math.Max(RatioFreeSize, content.Position * MaxRatio))
                    return TooLarge(int.MaxValue, most);
            }
        }
        return TooLarge(target.Length - 1, most);
    }

    /// <summary>
    /// The runtime accepts a file whose end is missing. Its last eight bytes are the checksum and the length of what its last member holds, and
    /// that is the end of what came out.
    /// </summary>
    private static bool IsEndOfGzip(ReadOnlySpan<byte> packed, ReadOnlySpan<byte> plain)
    {
        const int Smallest = 18;
        if (packed.Length < Smallest)
            return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(packed[^4..]);
        return length <= plain.Length && Checksums.Crc32(plain[^(int)length..]) == BinaryPrimitives.ReadUInt32LittleEndian(packed[^8..]);
    }

    private static Refusal TooLarge(int limit, long most) => new(
        Reason.DecompressedTooLarge, most < limit ? $"more than {MaxRatio} times its compressed size" : $"more than {limit} bytes once decompressed");

    private static Refusal Corrupt(ModuleCompression compression, string cause) => new(Reason.CorruptCompression, $"{Word(compression)}: {cause}");

    private static string Word(ModuleCompression compression) => compression switch
    {
        ModuleCompression.Xz => "xz",
        ModuleCompression.Zstd => "zstd",
        _ => "gzip",
    };
}
