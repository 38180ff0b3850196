// The container of an xz file (tukaani.org, .xz file format 1.2.1): its streams and blocks, found from the end, where the index says how large they are.
using System.Buffers.Binary;
using System.Security.Cryptography;
using SharpCompress.Compressors.LZMA;

namespace LivePatchd.Linux.Store;

/// <summary>
/// The sizes are known before anything is decoded, so that a dictionary is never larger than what it is for. Whatever the index says wrongly
/// ends in a refusal: every block must have exactly its sizes and its checksum.
/// </summary>
internal static class XzFile
{
    private const int HeaderSize = 12;

    /// <summary>An indicator, a count, padding to four bytes, and a checksum.</summary>
    private const int SmallestIndex = 8;

    private const int MaxStreams = 64;
    private const int MaxBlocks = 4096;
    private const int Chunk = 64 << 10;
    private const int Lzma2 = 0x21;
    private const int LargestDictionary = 40;

    private static ReadOnlySpan<byte> Magic => [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0];

    /// <summary>A block with everything that must be true of it.</summary>
    internal readonly record struct Block(int Start, int Unpadded, long Size, byte Check);

    /// <summary>The blocks of all streams in order, or what is wrong with the file.</summary>
    internal static (List<Block> Blocks, string? Wrong) Read(ReadOnlySpan<byte> file)
    {
        var blocks = new List<Block>();
        for (var streams = 0; ; streams++)
        {
            if (streams == MaxStreams)
                return (blocks, $"more than {MaxStreams} streams");
            if (streams > 0)
            {
                // Between streams, and behind the last one, zeros in groups of four.
                while (file.Length >= 4 && file[^4..].IndexOfAnyExcept((byte)0) < 0)
                    file = file[..^4];
                if (file.IsEmpty)
                    return (blocks, null);
            }
            if (ReadLast(ref file, blocks) is { } wrong)
                return (blocks, wrong);
            if (blocks.Count > MaxBlocks)
                return (blocks, $"more than {MaxBlocks} blocks");
        }
    }

    /// <summary>Takes the last stream off the file's end; null, or what is wrong with it.</summary>
    private static string? ReadLast(ref ReadOnlySpan<byte> file, List<Block> blocks)
    {
        while (file.Length >= 4 && file[^4..].IndexOfAnyExcept((byte)0) < 0)
            file = file[..^4];
        if (file.Length < 2 * HeaderSize || !file.EndsWith("YZ"u8))
            return "it does not end with the footer of a stream: it is cut off, or something follows it";
        var footer = file[^HeaderSize..];
        if (Checksums.Crc32(footer[4..10]) != BinaryPrimitives.ReadUInt32LittleEndian(footer))
            return "the checksum of its footer is wrong";
        var indexSize = (BinaryPrimitives.ReadUInt32LittleEndian(footer[4..]) + 1L) * 4;
        if (indexSize > file.Length - (2 * HeaderSize))
            return "its index is longer than the file";
        var indexStart = file.Length - HeaderSize - (int)indexSize;
        var found = new List<Block>();
        if (ReadIndex(file.Slice(indexStart, (int)indexSize), found, footer[9]) is { } wrong)
            return wrong;
        var start = indexStart - HeaderSize;
        foreach (var block in found)
        {
            // Sizes of at most the file's each, so the sum cannot wrap before it is too small.
            if ((start -= Padded(block.Unpadded)) < 0)
                return "its index does not fit its blocks";
        }
        var header = file.Slice(start, HeaderSize);
        if (!header.StartsWith(Magic) || !header[6..8].SequenceEqual(footer[8..10]))
            return "its index does not lead to the header of its stream";
        if (Checksums.Crc32(header[6..8]) != BinaryPrimitives.ReadUInt32LittleEndian(header[8..]))
            return "the checksum of its header is wrong";
        if (header[6] != 0 || CheckSize(header[7]) is null)
            return "its header has flags that are not known";
        var at = start + HeaderSize;
        for (var i = 0; i < found.Count; i++)
        {
            found[i] = found[i] with { Start = at };
            at += Padded(found[i].Unpadded);
        }
        blocks.InsertRange(0, found);
        file = file[..start];
        return null;
    }

    private static string? ReadIndex(ReadOnlySpan<byte> index, List<Block> blocks, byte check)
    {
        if (index.Length < SmallestIndex || index[0] != 0 || Checksums.Crc32(index[..^4]) != BinaryPrimitives.ReadUInt32LittleEndian(index[^4..]))
            return "the checksum of its index is wrong";
        var rest = index[1..^4];
        if (!TryVariable(ref rest, out var count) || count > MaxBlocks)
            return $"its index is damaged, or names more than {MaxBlocks} blocks";
        for (long i = 0; i < count; i++)
        {
            if (!TryVariable(ref rest, out var unpadded) || !TryVariable(ref rest, out var size) || unpadded is < 5 or > int.MaxValue - 4)
                return "its index is damaged";
            blocks.Add(new Block(0, (int)unpadded, size, check));
        }
        return rest.IndexOfAnyExcept((byte)0) >= 0 || rest.Length > 3 ? "its index is damaged" : null;
    }

    /// <summary>Null when the block's bytes are all in the target; else what is wrong with it.</summary>
    internal static unsafe string? Decode(ReadOnlySpan<byte> file, Block block, Span<byte> target)
    {
        var whole = file.Slice(block.Start, Padded(block.Unpadded));
        var headerSize = (whole[0] + 1) * 4;
        var dataSize = block.Unpadded - headerSize - CheckSize(block.Check)!.Value;
        if (whole[0] == 0 || dataSize <= 0)
            return "a block has no header, or no content";
        if (ReadHeader(whole[..headerSize], dataSize, block.Size, out var declared) is { } wrong)
            return wrong;
        if (whole[(headerSize + dataSize)..^CheckSize(block.Check)!.Value].IndexOfAnyExcept((byte)0) >= 0)
            return "the padding of a block is not zero";
        fixed (byte* data = whole.Slice(headerSize, dataSize))
        {
            using var packed = new UnmanagedMemoryStream(data, dataSize);
            using var lzma = LzmaStream.Create([Dictionary(declared, block.Size)], packed, dataSize, -1, null, isLzma2: true, leaveOpen: true);
            var chunk = new byte[Chunk];
            var length = 0;
            for (int count; (count = lzma.Read(chunk, 0, Chunk)) > 0; length += count)
            {
                if (count > target.Length - length)
                    return "a block is longer than its index says";
                chunk.AsSpan(0, count).CopyTo(target[length..]);
            }
            if (length < target.Length)
                return "a block is shorter than its index says";
            if (packed.Position != dataSize)
                return "a block has bytes behind its end";
        }
        return IsWhole(target, block.Check, whole[^CheckSize(block.Check)!.Value..]) ? null : "the checksum of its content is wrong";
    }

    private static string? ReadHeader(ReadOnlySpan<byte> header, int dataSize, long size, out byte dictionary)
    {
        dictionary = 0;
        if (Checksums.Crc32(header[..^4]) != BinaryPrimitives.ReadUInt32LittleEndian(header[^4..]))
            return "the checksum of a block's header is wrong";
        var flags = header[1];
        if ((flags & 0x3F) != 0)
            return "it uses a filter besides LZMA2, or flags that are not known";
        var rest = header[2..^4];
        long told;
        if ((flags & 0x40) != 0 && (!TryVariable(ref rest, out told) || told != dataSize))
            return "a block's header and the index do not agree";
        if ((flags & 0x80) != 0 && (!TryVariable(ref rest, out told) || told != size))
            return "a block's header and the index do not agree";
        if (!TryVariable(ref rest, out var filter) || filter != Lzma2)
            return "it uses a filter other than LZMA2";
        if (!TryVariable(ref rest, out var properties) || properties != 1 || rest.IsEmpty || rest[0] > LargestDictionary)
            return "its LZMA2 properties are damaged";
        dictionary = rest[0];
        return null;
    }

    /// <summary>No match reaches further back than the block is long: the declared dictionary, or the smallest in which the block has room.</summary>
    internal static byte Dictionary(byte declared, long size)
    {
        byte smallest = 0;
        while (smallest < declared && (2L | (smallest & 1)) << ((smallest / 2) + 11) < size)
            smallest++;
        return smallest;
    }

    private static bool IsWhole(ReadOnlySpan<byte> content, byte check, ReadOnlySpan<byte> sum) => check switch
    {
        0x1 => Checksums.Crc32(content) == BinaryPrimitives.ReadUInt32LittleEndian(sum),
        0x4 => Checksums.Crc64(content) == BinaryPrimitives.ReadUInt64LittleEndian(sum),
        0xA => SHA256.HashData(content).AsSpan().SequenceEqual(sum),
        _ => true,
    };

    private static int? CheckSize(byte check) => check switch
    {
        0x0 => 0,
        0x1 => 4,
        0x4 => 8,
        0xA => 32,
        _ => null,
    };

    private static int Padded(int size) => (size + 3) & ~3;

    private static bool TryVariable(ref ReadOnlySpan<byte> rest, out long value)
    {
        value = 0;
        for (var i = 0; i < 9 && i < rest.Length; i++)
        {
            value |= (long)(rest[i] & 0x7F) << (7 * i);
            if (rest[i] >= 0x80)
                continue;
            rest = rest[(i + 1)..];
            return value >= 0;
        }
        return false;
    }
}
