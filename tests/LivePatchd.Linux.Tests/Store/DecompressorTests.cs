// Three formats, their damage, and bombs that stay small.
using System.Globalization;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Tests.Store;

public sealed class DecompressorTests
{
    private const int Limit = PatchStore.MaxFileSize;

    public static TheoryData<string, ModuleCompression, byte[]> Good => new()
    {
        { "gzip", ModuleCompression.Gzip, Compressed.Gzip(Encoding.ASCII.GetBytes(Compressed.PlainText)) },
        { "zstd", ModuleCompression.Zstd, Compressed.Zstd(Encoding.ASCII.GetBytes(Compressed.PlainText)) },
        { "xz, stored", ModuleCompression.Xz, Compressed.Xz(Encoding.ASCII.GetBytes(Compressed.PlainText)) },
        { "xz, CRC64", ModuleCompression.Xz, Compressed.XzProgramDefault },
        { "xz, CRC32", ModuleCompression.Xz, Compressed.XzProgramCrc32 },
    };

    [Theory]
    [MemberData(nameof(Good), DisableDiscoveryEnumeration = true)]
    public void Every_format_gives_the_content_back(string what, ModuleCompression compression, byte[] packed)
    {
        Assert.True(Decompressor.HasMagic(packed, compression), what);
        using var source = Fill(packed);
        var (image, refusal) = Decompressor.Decompress(source, compression, Limit);
        using (image)
        {
            Assert.Null(refusal);
            Assert.Equal(Compressed.PlainText, Encoding.ASCII.GetString(image!.Content));
        }
    }

    [Theory]
    [MemberData(nameof(Good), DisableDiscoveryEnumeration = true)]
    public void Every_cut_and_every_damaged_byte_ends_in_a_result(string what, ModuleCompression compression, byte[] packed)
    {
        for (var length = 0; length < packed.Length; length++)
        {
            using var source = Fill(packed.AsSpan(0, length));
            var (image, refusal) = Decompressor.Decompress(source, compression, 1 << 16);
            using (image)
                Assert.True((image is null) != (refusal is null), what);
        }
        for (var at = 0; at < packed.Length; at++)
        {
            var damaged = packed.ToArray();
            damaged[at] ^= 0xFF;
            using var source = Fill(damaged);
            var (image, refusal) = Decompressor.Decompress(source, compression, 1 << 16);
            using (image)
                Assert.True((image is null) != (refusal is null), what);
        }
    }

    [Fact]
    public void What_just_fits_is_accepted_and_one_byte_more_is_not()
    {
        var packed = Compressed.Gzip(new byte[1000]);
        using var source = Fill(packed);
        var (image, _) = Decompressor.Decompress(source, ModuleCompression.Gzip, 1000);
        using (image)
            Assert.Equal(1000, image!.Length);
        Assert.Equal(Reason.DecompressedTooLarge, Decompressor.Decompress(source, ModuleCompression.Gzip, 999).Refusal!.Reason);
    }

    [Theory]
    [InlineData(ModuleCompression.Gzip)]
    [InlineData(ModuleCompression.Zstd)]
    [InlineData(ModuleCompression.Xz)]
    public void A_gibibyte_of_zeros_is_refused_without_its_memory(ModuleCompression compression)
    {
        var packed = compression switch
        {
            ModuleCompression.Gzip => Compressed.GzipBomb(),
            ModuleCompression.Zstd => Compressed.ZstdBomb(),
            _ => Compressed.XzBomb(),
        };
        using var source = Fill(packed);
        var before = PeakKibibytes();
        Assert.Equal(Reason.DecompressedTooLarge, Decompressor.Decompress(source, compression, Limit).Refusal!.Reason);
        // The limit is 64 MiB; other tests of this process may run meanwhile.
        Assert.True(PeakKibibytes() - before < 400 << 10);
    }

    [Fact]
    public void What_grows_too_fast_is_refused_long_before_the_limit()
    {
        // 60 MiB of zeros would fit, but no module is made of them.
        using var source = Fill(Compressed.Gzip(new byte[60 << 20]));
        var (image, refusal) = Decompressor.Decompress(source, ModuleCompression.Gzip, Limit);
        Assert.Null(image);
        Assert.Equal(Reason.DecompressedTooLarge, refusal!.Reason);
        Assert.StartsWith("more than 100 times", refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_huge_dictionary_is_not_believed()
    {
        // LZMA2's dictionary byte 39 asks for 3 GiB, 40 for 4 GiB - 1.
        foreach (byte size in new byte[] { 37, 38, 39, 40, 255 })
        {
            using var source = Fill(WithDictionary(size));
            var before = PeakKibibytes();
            var (image, refusal) = Decompressor.Decompress(source, ModuleCompression.Xz, Limit);
            using (image)
                Assert.True((image is null) != (refusal is null));
            Assert.True(PeakKibibytes() - before < 400 << 10);
        }
    }

    private static byte[] WithDictionary(byte size)
    {
        var packed = Compressed.Xz(new byte[100]);
        packed[12 + 4] = size;
        BitConverter.GetBytes(Compressed.Crc32(packed[12..20])).CopyTo(packed, 20);
        return packed;
    }

    private static NativeBuffer Fill(ReadOnlySpan<byte> content)
    {
        var buffer = NativeBuffer.Allocate(content.Length).Value!;
        content.CopyTo(buffer.All);
        buffer.Length = content.Length;
        return buffer;
    }

    private static long PeakKibibytes() => long.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(':', 'k')[1],
        CultureInfo.InvariantCulture);
}
