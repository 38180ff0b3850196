// Reads /sys/module/compression: which compressed modules the kernel takes as they are.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Parsing;

public static class CompressionParser
{
    /// <summary>None for anything unknown: then the daemon decompresses.</summary>
    public static ModuleCompression Parse(ReadOnlySpan<byte> text)
    {
        text = text.TrimEnd((byte)'\n');
        if (text.SequenceEqual("gzip"u8))
            return ModuleCompression.Gzip;
        if (text.SequenceEqual("xz"u8))
            return ModuleCompression.Xz;
        return text.SequenceEqual("zstd"u8) ? ModuleCompression.Zstd : ModuleCompression.None;
    }
}
