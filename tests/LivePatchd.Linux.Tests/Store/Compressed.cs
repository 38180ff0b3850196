// Compressed test data: written here where .NET can, a hand-made container for xz, and two files of the xz program.
using System.IO.Compression;
using ZstdSharp;

namespace LivePatchd.Linux.Tests.Store;

internal static class Compressed
{
    internal static string PlainText { get; } = string.Concat(Enumerable.Repeat("livepatchd ", 200));

    /// <summary><see cref="PlainText"/> by xz as people call it: with a CRC64.</summary>
    internal static byte[] XzProgramDefault { get; } = Convert.FromBase64String(
        "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AiXAB5dADYaSzLkNkkiqes+/VzUubqL8hL3B5l9YvcdZ34ZAAAAAHWan6BVLkRiAAE6mBEAAAA9rGdvscRn+wIAAAAABFla");

    /// <summary><see cref="PlainText"/> by xz --check=crc32, as the kernel wants it.</summary>
    internal static byte[] XzProgramCrc32 { get; } = Convert.FromBase64String(
        "/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4AiXAB5dADYaSzLkNkkiqes+/VzUubqL8hL3B5l9YvcdZ34ZAAAAAPyIGBMAATaYEQAAAEZspRg+MA2LAgAAAAABWVo=");

    /// <summary><see cref="PlainText"/> by xz --check=sha256.</summary>
    internal static byte[] XzProgramSha256 { get; } = Convert.FromBase64String(
        "/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4AiXAB5dADYaSzLkNkkiqes+/VzUubqL8hL3B5l9YvcdZ34ZAAAAABl25Oby4dN/GLrk6Qjpxv4QOsKHR/HhHE6PRKQF1u7zAAFSmBEAAAAKIcCLtunfHAIAAAAAClla");

    /// <summary><see cref="PlainText"/> by xz --check=crc32 -9e: it asks for a dictionary of 64 MiB.</summary>
    internal static byte[] XzProgramLargest { get; } = Convert.FromBase64String(
        "/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4AiXAB5dADYaSzLkNkkiqes+/VzUubqL8hL3B5l9YvcdZ34ZAAAAAPyIGBMAATaYEQAAAEZspRg+MA2LAgAAAAABWVo=");

    /// <summary><see cref="PlainText"/> by xz --x86.</summary>
    internal static byte[] XzProgramX86 { get; } = Convert.FromBase64String(
        "/Td6WFoAAAFpIt42AgEEACEBFgANhjUf4AiXAB5dADYaSzLkNkkiqes+/VzUubqL8hL3B5l9YvcdZ34ZAAAAAPyIGBMAATaYEQAAAEZspRg+MA2LAgAAAAABWVo=");

    /// <summary>1 GiB of zeros by xz, itself packed twice with gzip.</summary>
    internal static byte[] XzBomb() => Gunzip(Gunzip(Convert.FromBase64String(
        "H4sIAAAAAAACA5Pv5mAAASbmt+f3el9hZGh4eH/itMOeki5skVNmPlLS/eYY75KiKL7EeZ6kmEuCSNSSwGavCScEZyx8+ERJdUqSWYZJS6B7i4gnyyuFLKmYFkcFLTXxf4K6H/cc3m2vXf1+ylR2xxVZz10ezlq4MiD58UXZhQUCOTIycf+m+rAlP29eUKU6842Uj5is3c6Xx/51p8fZnfl97+qWvMy8tNt39Vk/MrM7H/37VT5po4dj+K+Iw5Pzv2829lJfPPPjrRtf1h5t3Nb2YerCztnL9XzVtbzil/ToyfDbr/bZX6Zk+HvbusoPF2/OazwREhr2tajwc9vq422z+0NYdOf7f397Lnv3vr8Bp9etnHXu3ZtT8ysPf3e7ZZ309efa/cXZ4tt41r7tKFnT8622dsO/WL+Xj2qyH867cvz881X3r7h0HVJeK+lfrZ+y99eV+bMjBXO9YvQ0q+eueN157sw8b9/oKvt7v9N3qtQnLrNVj8h93V97984oGAWjYLiB/+dkTZadXX/o7BkoeLM/5sLMTZU1nx6/rdAw5WgK2PJHX93snbrCF2YGAPKOie5mBQAA")));

    internal static byte[] Gzip(byte[] content)
    {
        var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(content);
        return result.ToArray();
    }

    internal static byte[] GzipBomb() => Zeros(stream => new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true));

    internal static byte[] ZstdBomb() => Zeros(stream => new CompressionStream(stream, level: 1, leaveOpen: true));

    internal static byte[] Zstd(byte[] content)
    {
        using var compressor = new Compressor();
        return compressor.Wrap(content).ToArray();
    }

    /// <summary>A frame whose window is as large as kmod takes it, without the size of its content.</summary>
    internal static byte[] ZstdWithLargeWindow(byte[] content)
    {
        var result = new MemoryStream();
        using (var stream = new CompressionStream(result, level: 1, leaveOpen: true))
        {
            stream.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_windowLog, 27);
            stream.Write(content);
        }
        return result.ToArray();
    }

    /// <summary>A frame that holds a note and no content.</summary>
    internal static byte[] ZstdNote { get; } = [0x5A, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, (byte)'n', (byte)'o', (byte)'t', (byte)'e'];

    /// <summary>An xz file of stored blocks with CRC32: small enough to write by hand, and valid for any decoder.</summary>
    internal static byte[] Xz(byte[] content)
    {
        var file = new MemoryStream();
        byte[] flags = [0, 1];
        file.Write([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]);
        WriteWithCrc(file, flags);

        var blockStart = file.Position;
        // Header of 12 bytes, no sizes, one filter: LZMA2 with 1 MiB of dictionary.
        WriteWithCrc(file, [2, 0, 0x21, 1, 16, 0, 0, 0]);
        for (var at = 0; at < content.Length; at += 0x10000)
        {
            var chunk = content.AsSpan(at, Math.Min(0x10000, content.Length - at));
            file.Write([(byte)(at == 0 ? 1 : 2), (byte)((chunk.Length - 1) >> 8), (byte)(chunk.Length - 1)]);
            file.Write(chunk);
        }
        file.WriteByte(0);
        var unpadded = file.Position - blockStart + 4;
        Pad(file);
        file.Write(BitConverter.GetBytes(Crc32(content)));

        var index = new MemoryStream();
        index.Write([0, 1]);
        WriteVariable(index, unpadded);
        WriteVariable(index, content.Length);
        Pad(index);
        WriteWithCrc(file, index.ToArray());

        byte[] footer = [.. BitConverter.GetBytes((int)((index.Length + 4) / 4) - 1), .. flags];
        file.Write(BitConverter.GetBytes(Crc32(footer)));
        file.Write(footer);
        file.Write("YZ"u8);
        return file.ToArray();
    }

    private static void WriteWithCrc(MemoryStream file, byte[] bytes)
    {
        file.Write(bytes);
        file.Write(BitConverter.GetBytes(Crc32(bytes)));
    }

    private static void Pad(MemoryStream file)
    {
        while (file.Position % 4 != 0)
            file.WriteByte(0);
    }

    private static void WriteVariable(MemoryStream file, long value)
    {
        for (; value >= 0x80; value >>= 7)
            file.WriteByte((byte)(value | 0x80));
        file.WriteByte((byte)value);
    }

    internal static uint Crc32(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }

    private static byte[] Zeros(Func<Stream, Stream> open)
    {
        var result = new MemoryStream();
        var chunk = new byte[1 << 20];
        using (var stream = open(result))
        {
            for (var i = 0; i < 1024; i++)
                stream.Write(chunk);
        }
        return result.ToArray();
    }

    private static byte[] Gunzip(byte[] packed)
    {
        var plain = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        gzip.CopyTo(plain);
        return plain.ToArray();
    }
}
