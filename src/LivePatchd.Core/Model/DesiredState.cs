// What the watched directories ask for: accepted files, refused files, and directories that could not be read.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

/// <param name="Path">Path of the file in the watched directory.</param>
/// <param name="Manifest">Its sidecar, when there is one.</param>
public sealed record WantedPatch(PatchModule Module, string Path, Manifest? Manifest = null)
{
    public PatchName Name => Module.Name;

    public Evidence Evidence { get; init; } = Evidence.None;
}

/// <param name="Name">From the module when it could be read, else from the file name, else null.</param>
/// <param name="Detail">One line for the log and LastError; already free of control characters.</param>
public sealed record RefusedFile(string Path, PatchName? Name, Reason Reason, string Detail);

/// <summary>A directory that exists in the configuration but could not be listed: what it asks for is unknown, not empty.</summary>
public sealed record UnreadableDirectory(string Path, Errno Errno);

public sealed record DesiredState(
    ImmutableArray<WantedPatch> Wanted,
    ImmutableArray<RefusedFile> Refused,
    ImmutableArray<UnreadableDirectory> Unreadable)
{
    /// <summary>Digests, as dropped, that must not be in the kernel: of the deny list, and of the files whose contents it names.</summary>
    public ImmutableHashSet<Sha256> Denied { get; init; } = [];

    /// <summary>The keys of the trusted certificates, as <see cref="SignatureEvidence.Key"/> has them.</summary>
    public ImmutableHashSet<string> TrustedKeys { get; init; } = [];

    /// <summary>Services of the host's health.d: a manifest may name no others as checks.</summary>
    public ImmutableArray<string> HostChecks { get; init; } = [];

    public static DesiredState Empty { get; } = new([], [], []);
}
