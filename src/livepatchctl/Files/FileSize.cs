// How large a module file is, and how large the module in it.
namespace LivePatchd.Ctl.Files;

/// <param name="OfFile">In bytes.</param>
/// <param name="Compression">Null when the file is the module.</param>
/// <param name="OfModule">In bytes, once decompressed.</param>
internal readonly record struct FileSize(long OfFile, string? Compression, long OfModule)
{
    public override string ToString() => Compression is null ? $"{OfFile} bytes" : $"{OfFile} bytes, {OfModule} without {Compression}";
}
