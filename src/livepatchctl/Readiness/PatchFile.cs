// One patch file of a kernel that does not run, and whether it would count there.
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Readiness;

internal enum FileStanding
{
    /// <summary>Nothing in the file and nothing that outlives a reboot stands against it.</summary>
    Ready,

    /// <summary>The file is good, and a mark keeps it out of the kernel.</summary>
    KeptOut,

    Refused,
}

/// <param name="Name">The module's, or the file's where the module cannot be read; null when that is no module name.</param>
internal sealed record PatchFile(string Path, PatchName? Name, FileStanding Standing)
{
    public Reason? Reason { get; init; }

    public string? Detail { get; init; }

    /// <summary>Of the file as it lies there.</summary>
    public Sha256? Digest { get; init; }

    /// <summary>Of the module once decompressed: a denial may name either.</summary>
    public Sha256? ImageDigest { get; init; }

    /// <summary>Of the module once decompressed, without its signature trailer.</summary>
    public Sha256? Content { get; init; }

    public PatchIdentity? Identity => Digest is { } digest ? new PatchIdentity(digest, Content) : null;

    public Manifest? Manifest { get; init; }

    /// <summary>Null where only the module's code knows.</summary>
    public bool? Cumulative { get; init; }

    public string FileName => System.IO.Path.GetFileName(Path);

    public bool IsPossible => Standing is FileStanding.Ready;

    public PatchFile Because(FileStanding standing, Reason reason, string detail) => this with { Standing = standing, Reason = reason, Detail = detail };

    public bool NamesCve(string cve) => Manifest?.Cves.Contains(cve) == true;

    public static string Word(FileStanding standing) => standing switch
    {
        FileStanding.Ready => "ready",
        FileStanding.KeptOut => "kept-out",
        _ => "refused",
    };
}
