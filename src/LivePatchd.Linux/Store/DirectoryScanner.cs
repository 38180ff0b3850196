// x
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Store;

/// <summary>Reads a sidecar; any error refuses the patch beside it.</summary>
public delegate (Manifest? Manifest, ImmutableArray<ConfigError> Errors) ManifestParser(string file, ReadOnlySpan<byte> yaml);

/// <param name="Stored">The store's copy of every wanted patch.</param>
public sealed record ScanResult(DesiredState Desired, ImmutableDictionary<Sha256, StoredPatch> Stored);

public sealed class DirectoryScanner(SystemRoot root, PatchStore store, ManifestParser? manifests = null)
{
    public ScanResult Scan(ImmutableArray<WatchedDirectory> directories, string kernelRelease) => throw new NotImplementedException(root.Prefix + store + manifests);
}
