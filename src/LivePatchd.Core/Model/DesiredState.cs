// What the watched directories ask for: accepted files, refused files, and directories that could not be read.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

/// <param name="Path">Path of the file in the watched directory.</param>
/// <param name="Manifest">Its sidecar, when there is one.</param>
public sealed record WantedPatch(PatchModule Module, string Path, Manifest? Manifest = null)
{
    public PatchName Name => Module.Name;

    public Evidence Evidence { get; init; } = Evidence.None;

    /// <summary>The file system that its directory lay on when the file was read; null when that could not be told.</summary>
    public string? FileSystem { get; init; }

    /// <summary>The file that asks for it is that of another build, which was given up; null where it asks for itself.</summary>
    public GivenUp? InsteadOf { get; init; }
}

/// <summary>A wanted build that is not loaded although it could be asked for.</summary>
/// <param name="Digest">Null where the file could not be read as a module.</param>
/// <param name="RetryAt">When it is tried again by itself; null: not before somebody does something about it.</param>
public sealed record GivenUp(PatchName Name, Sha256? Digest, Reason Reason, string? Detail, Instant? RetryAt)
{
    /// <summary>In words.</summary>
    public override string ToString() =>
        $"instead of {Name}{(Digest is { } digest ? $" {digest.Hex[..12]}" : "")}: {Reason.Word()}{(string.IsNullOrEmpty(Detail) ? "" : $": {Detail}")}";
}

/// <param name="Name">From the module when it could be read, else from the file name, else null.</param>
/// <param name="Detail">One line for the log and LastError; already free of control characters.</param>
public sealed record RefusedFile(string Path, PatchName? Name, Reason Reason, string Detail);

/// <summary>A directory that exists in the configuration but could not be listed: what it asks for is unknown, not empty.</summary>
/// <param name="Why">In words, where the errno alone does not say it.</param>
public sealed record UnreadableDirectory(string Path, Errno Errno, string? Why = null)
{
    /// <summary>Patch files in one directory.</summary>
    public const int MaxPatchFiles = 1000;

    /// <summary>In words, with the errno's name.</summary>
    public string Detail => Why is not null ? $"{Why} ({Errno})" : Errno switch
    {
        Errno.ENOENT => "it does not exist (ENOENT)",
        // With O_NOFOLLOW the kernel says the same of a symbolic link.
        Errno.ENOTDIR => "it is no directory, or a symbolic link, which is not followed (ENOTDIR)",
        Errno.ELOOP or Errno.EXDEV => $"it is a symbolic link or leads out of the watched directory ({Errno})",
        Errno.E2BIG => $"it has more than {MaxPatchFiles} patch files (E2BIG)",
        Errno.EACCES or Errno.EPERM => $"permission denied ({Errno})",
        _ => $"it cannot be read ({Errno})",
    };
}

public sealed record DesiredState(
    ImmutableArray<WantedPatch> Wanted,
    ImmutableArray<RefusedFile> Refused,
    ImmutableArray<UnreadableDirectory> Unreadable)
{
    /// <summary>Digests, as dropped, that must not be in the kernel: of the deny list, and of the files whose contents it names.</summary>
    public ImmutableHashSet<Sha256> Denied { get; init; } = [];

    /// <summary>The keys of the trusted certificates, as <see cref="SignatureEvidence.Key"/> has them.</summary>
    public ImmutableHashSet<string> TrustedKeys { get; init; } = [];

    /// <summary>
    /// The directories of this kernel that were looked for and could be answered for: the file system that each lies on, or would lie on
    /// where there is none; empty where that could not be told.
    /// </summary>
    public ImmutableDictionary<string, string> Seats { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Loaded patches whose files are missing, and have not been for long enough to count as taken out.</summary>
    public ImmutableHashSet<PatchName> Awaited { get; init; } = [];

    /// <summary>Loaded patches whose files are missing where another file system lies now than the one they were seen on: nothing is known of them.</summary>
    public ImmutableHashSet<PatchName> OutOfSight { get; init; } = [];

    /// <summary>Builds of this kernel that the host trusts and no file asks for: the store's copies, with the manifests that they came with.</summary>
    public ImmutableArray<WantedPatch> Kept { get; init; } = [];

    /// <summary>Services of the host's health.d: a manifest may name no others as checks.</summary>
    public ImmutableArray<string> HostChecks { get; init; } = [];

    public static DesiredState Empty { get; } = new([], [], []);
}
