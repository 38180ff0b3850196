// Knows a compressed file by its first bytes, and the command that undoes it.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Store;

namespace LivePatchd.Ctl.Files;

internal static class Compressed
{
    public static ModuleCompression Of(ReadOnlySpan<byte> content)
    {
        foreach (var compression in (ReadOnlySpan<ModuleCompression>)[ModuleCompression.Xz, ModuleCompression.Zstd, ModuleCompression.Gzip])
        {
            if (Decompressor.HasMagic(content, compression))
                return compression;
        }
        return ModuleCompression.None;
    }

    /// <summary>Null when it is none of the three kinds that modules come in.</summary>
    public static (string Kind, string Command)? Kind(ReadOnlySpan<byte> bytes) => Kind(Of(bytes));

    public static (string Kind, string Command)? Kind(ModuleCompression compression) => compression switch
    {
        ModuleCompression.Xz => ("xz", "xz -dk"),
        ModuleCompression.Zstd => ("zstd", "zstd -d"),
        ModuleCompression.Gzip => ("gzip", "gzip -dk"),
        _ => null,
    };
}
