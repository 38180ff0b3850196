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
        Of("xz", ModuleCompression.Xz, []),
        Of("zstd", ModuleCompression.Zstd, [Zstd(new byte[4 << 20]), Zstd("a small text, a small text"u8.ToArray())]),
    ];

    private static Target<(int? Length, Reason? Reason)> Of(string name, ModuleCompression compression, byte[][] made) => new(
        name,
        input => Decompress(input, compression),
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
