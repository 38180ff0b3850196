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

    private static readonly byte[] FirstHalf = Encoding.ASCII.GetBytes(Compressed.PlainText[..1000]);
    private static readonly byte[] SecondHalf = Encoding.ASCII.GetBytes(Compressed.PlainText[1000..]);

    public static TheoryData<string, ModuleCompression, byte[]> Good => new()
    {
        { "gzip", ModuleCompression.Gzip, Compressed.Gzip(Encoding.ASCII.GetBytes(Compressed.PlainText)) },
        { "zstd", ModuleCompression.Zstd, Compressed.Zstd(Encoding.ASCII.GetBytes(Compressed.PlainText)) },
        { "xz, stored", ModuleCompression.Xz, Compressed.Xz(Encoding.ASCII.GetBytes(Compressed.PlainText)) },
        { "xz, CRC64", ModuleCompression.Xz, Compressed.XzProgramDefault },
        { "xz, CRC32", ModuleCompression.Xz, Compressed.XzProgramCrc32 },
        { "xz, SHA-256", ModuleCompression.Xz, Compressed.XzProgramSha256 },
        { "xz, 64 MiB of dictionary", ModuleCompression.Xz, Compressed.XzProgramLargest },
        { "xz, several streams", ModuleCompression.Xz, [.. Compressed.Xz(FirstHalf), .. Compressed.Xz([]), 0, 0, 0, 0, .. Compressed.Xz(SecondHalf), 0, 0, 0, 0, 0, 0, 0, 0] },
        { "gzip, several members", ModuleCompression.Gzip, [.. Compressed.Gzip(FirstHalf), .. Compressed.Gzip(SecondHalf)] },
        { "zstd, several frames", ModuleCompression.Zstd, [.. Compressed.Zstd(FirstHalf), .. Compressed.ZstdNote, .. Compressed.Zstd(SecondHalf), .. Compressed.ZstdNote] },
        { "zstd, a note first", ModuleCompression.Zstd, [.. Compressed.ZstdNote, .. Compressed.Zstd([.. FirstHalf, .. SecondHalf])] },
        { "zstd, 128 MiB of window", ModuleCompression.Zstd, Compressed.ZstdWithLargeWindow([.. FirstHalf, .. SecondHalf]) },
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

    [Theory]
    [InlineData(ModuleCompression.Gzip)]
    [InlineData(ModuleCompression.Zstd)]
    [InlineData(ModuleCompression.Xz)]
    public void Decompress_AnyCut_IsRefusedAsCorrupt(ModuleCompression compression)
    {
        var content = Encoding.ASCII.GetBytes(Compressed.PlainText);
        var packed = compression switch
        {
            ModuleCompression.Gzip => Compressed.Gzip(content),
            ModuleCompression.Zstd => Compressed.Zstd(content),
            _ => Compressed.XzProgramDefault,
        };
        for (var length = 1; length < packed.Length; length++)
            Assert.Equal(Reason.CorruptCompression, Refused(packed[..length], compression).Reason);
    }

    public static TheoryData<byte[], ModuleCompression, string> Bad { get; } = new()
    {
        { Compressed.XzProgramX86, ModuleCompression.Xz, "xz: it uses a filter besides LZMA2, or flags that are not known" },
        { [.. Compressed.XzProgramCrc32, 1, 2, 3, 4], ModuleCompression.Xz, "xz: it does not end with the footer of a stream: it is cut off, or something follows it" },
        { Flipped(Compressed.XzProgramCrc32, 8), ModuleCompression.Xz, "xz: the checksum of its header is wrong" },
        { Flipped(Compressed.XzProgramSha256, Compressed.XzProgramSha256.Length - 40), ModuleCompression.Xz, "xz: the checksum of its content is wrong" },
        { [.. Compressed.Gzip(FirstHalf), 7], ModuleCompression.Gzip, "gzip: it does not end with the length and checksum of its content: it is cut off, or something follows it" },
        { [.. Compressed.Zstd(FirstHalf), 7, 7, 7, 7, 7, 7, 7, 7, 7], ModuleCompression.Zstd, "zstd: it is cut off, or something that is no frame follows it" },
        { Compressed.Zstd(FirstHalf)[..^3], ModuleCompression.Zstd, "zstd: it is cut off, or something that is no frame follows it" },
    };

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public void Decompress_DamagedFile_IsRefusedByItsCause(byte[] packed, ModuleCompression compression, string why)
    {
        var refusal = Refused(packed, compression);
        Assert.Equal((Reason.CorruptCompression, why), (refusal.Reason, refusal.Detail));
    }

    [Theory]
    [InlineData(ModuleCompression.Xz)]
    [InlineData(ModuleCompression.Zstd)]
    public void Decompress_SmallFileThatAsksForALargeWindow_GetsAsMuchAsItsContentNeeds(ModuleCompression compression)
    {
        var packed = compression is ModuleCompression.Xz ? Compressed.XzProgramLargest : Compressed.ZstdWithLargeWindow([.. FirstHalf, .. SecondHalf]);
        var target = new byte[1 << 20];
        Assert.Null(Decompressor.Decompress(packed, compression, target, out _)); // Whatever is made once.
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(Decompressor.Decompress(packed, compression, target, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 << 20);
    }

    private static byte[] Flipped(byte[] file, int at)
    {
        var changed = file.ToArray();
        changed[at] ^= 0xFF;
        return changed;
    }

    private static Refusal Refused(byte[] packed, ModuleCompression compression)
    {
        using var source = Fill(packed);
        var (image, refusal) = Decompressor.Decompress(source, compression, 1 << 16);
        image?.Dispose();
        return Assert.IsType<Refusal>(refusal);
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
