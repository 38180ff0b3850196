// The two checksums of compressed files that the runtime has no public name for.
namespace LivePatchd.Linux.Store;

internal static class Checksums
{
    private static readonly uint[] Table32 = Make32();
    private static readonly ulong[] Table64 = Make64();

    /// <summary>CRC-32 of gzip and xz (IEEE 802.3).</summary>
    internal static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
            crc = Table32[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc;
    }

    /// <summary>CRC-64 of xz (ECMA-182).</summary>
    internal static ulong Crc64(ReadOnlySpan<byte> bytes)
    {
        var crc = ulong.MaxValue;
        foreach (var b in bytes)
            crc = Table64[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] Make32()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var crc = i;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            table[i] = crc;
        }
        return table;
    }

    private static ulong[] Make64()
    {
        var table = new ulong[256];
        for (ulong i = 0; i < 256; i++)
        {
            var crc = i;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xC96C5795D7870F42 : crc >> 1;
            table[i] = crc;
        }
        return table;
    }
}
