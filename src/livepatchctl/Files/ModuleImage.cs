// The module in a file's bytes: themselves, or what they decompress to, by the daemon's decoder and within its bounds.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Store;

namespace LivePatchd.Ctl.Files;

/// <param name="Bytes">Set unless the file is refused.</param>
/// <param name="Compression">By the first bytes, whatever the file's name says.</param>
internal sealed record ModuleImage(byte[]? Bytes, ModuleCompression Compression)
{
    private const int MaxSize = (int)ModuleFile.MaxSize;

    public Reason? Reason { get; private init; }

    public string Detail { get; private init; } = "";

    public static ModuleImage Of(byte[] content) => Of(content, Compressed.Of(content));

    /// <summary>As the daemon takes a file of a watched directory: its name says how it is compressed, and the content has to agree.</summary>
    public static ModuleImage OfFileNamed(string name, byte[] content) =>
        Decompressor.FromName(name, out _) is not { } compression ? Refused(ModuleCompression.None, Core.Model.Reason.BadFileName, "not the name of a module file")
        : Decompressor.HasMagic(content, compression) ? Of(content, compression)
        : Refused(compression, Core.Model.Reason.CorruptCompression, $"the content is not {compression}, as the name says");

    private static ModuleImage Of(byte[] content, ModuleCompression compression)
    {
        if (compression == ModuleCompression.None)
            return new ModuleImage(content, compression);
        // Pages of it that nothing is written to cost nothing.
        var target = GC.AllocateUninitializedArray<byte>(MaxSize + 1);
        return Decompressor.Decompress(content, compression, target, out var length) is { } refusal
            ? Refused(compression, refusal.Reason, refusal.Detail)
            : new ModuleImage(target[..length], compression);
    }

    private static ModuleImage Refused(ModuleCompression compression, Reason reason, string detail) =>
        new(null, compression) { Reason = reason, Detail = detail };
}
