// Knows a compressed file by its first bytes, and the command that undoes it.
namespace LivePatchd.Ctl.Files;

internal static class Compressed
{
    /// <summary>Null when it is none of the three kinds that modules come in.</summary>
    public static (string Kind, string Command)? Kind(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith((ReadOnlySpan<byte>)[0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]) ? ("xz", "xz -dk")
        : bytes.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]) ? ("zstd", "zstd -d")
        : bytes.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]) ? ("gzip", "gzip -dk")
        : null;
}
