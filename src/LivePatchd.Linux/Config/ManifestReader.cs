// Reads a patch's manifest: bytes → checked Manifest, or every error in it.
using LivePatchd.Core.Config;

namespace LivePatchd.Linux.Config;

public static class ManifestReader
{
    /// <param name="fileName">Only shown in messages.</param>
    public static ManifestResult Read(string fileName, ReadOnlySpan<byte> yaml) =>
        ManifestBuilder.Build(YamlFragmentReader.Read(fileName, yaml));
}
