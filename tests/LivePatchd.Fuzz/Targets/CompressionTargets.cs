// Compressed modules: three decoders that are not ours, held to one megabyte.
using System.IO.Compression;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;

namespace LivePatchd.Fuzz.Targets;

internal static class CompressionTargets
{
    private const int MaxSize = 1 << 20;

    public static IReadOnlyList<Target> List { get; } =
    [
        Of("gzip", ModuleCompression.Gzip, [Gzip(new byte[4 << 20]), Gzip("a small text, a small text"u8.ToArray())]),
        Of("xz", ModuleCompression.Xz, [Xz]),
        Of("zstd", ModuleCompression.Zstd, [Zstd(new byte[4 << 20]), Zstd("a small text, a small text"u8.ToArray())]),
    ];

    private static Target<(int? Length, Reason? Reason)> Of(string name, ModuleCompression compression, byte[][] made) => new(
        name,
        input => Decompress(compression is ModuleCompression.Xz ? WithSums(input) : input, compression),
        static (_, read) =>
        {
            Expect.That((read.Length is null) == (read.Reason is not null), "an image or a reason");
            Expect.That(read.Length is not > MaxSize, "never more than was allowed");
            return $"{read.Reason} {Expect.Size(read.Length ?? 0)}";
        })
    {
        MaxLength = 64 << 10,
        Made = made,
    };

    private static (int? Length, Reason? Reason) Decompress(ReadOnlySpan<byte> input, ModuleCompression compression)
    {
        using var source = NativeBuffer.Allocate(input.Length).Value!;
        input.CopyTo(source.All);
        source.Length = input.Length;
        var (image, refusal) = Decompressor.Decompress(source, compression, MaxSize);
        using (image)
            return (image?.Length, refusal?.Reason);
    }

    /// <summary>Without a checksum of its content, which no mutation would hit.</summary>
    private static byte[] Xz => Convert.FromBase64String(
        "/Td6WFoAAAD/EtlBAgAhARYAAAB0L+Wj4AiXAB5dADYaSzLkNkkiqes+/VzUubqL8hL3B5l9YvcdZ34ZAAAAAAABMpgRAAAAUC40g6gACvwCAAAAAABZWg==");

    /// <summary>Every checksum made right, so that what is behind them is reached.</summary>
    private static byte[] WithSums(ReadOnlySpan<byte> input)
    {
        const int HeaderSize = 12;
        var file = input.ToArray();
        if (file.Length < 2 * HeaderSize)
            return file;
        Xz.AsSpan(0, 6).CopyTo(file);
        file.AsSpan(6, 2).CopyTo(file.AsSpan(file.Length - 4));
        "YZ"u8.CopyTo(file.AsSpan(file.Length - 2));
        Sum(file, 6, 2, 8);
        Sum(file, file.Length - 8, 6, file.Length - HeaderSize);
        var index = (BitConverter.ToUInt32(file, file.Length - 8) + 1L) * 4;
        if (index <= file.Length - (2 * HeaderSize))
            Sum(file, file.Length - HeaderSize - (int)index, (int)index - 4, file.Length - HeaderSize - 4);
        foreach (var block in XzFile.Read(file).Blocks)
        {
            var header = (file[block.Start] + 1) * 4;
            if (file[block.Start] != 0 && block.Start + header <= file.Length)
                Sum(file, block.Start, header - 4, block.Start + header - 4);
        }
        return file;
    }

    private static void Sum(byte[] file, int start, int length, int at) => BitConverter.TryWriteBytes(file.AsSpan(at), Checksums.Crc32(file.AsSpan(start, length)));

    private static byte[] Gzip(byte[] content)
    {
        var to = new MemoryStream();
        using (var stream = new GZipStream(to, CompressionLevel.Optimal))
            stream.Write(content);
        return to.ToArray();
    }

    private static byte[] Zstd(byte[] content)
    {
        using var compressor = new ZstdSharp.Compressor();
        return compressor.Wrap(content).ToArray();
    }
}
