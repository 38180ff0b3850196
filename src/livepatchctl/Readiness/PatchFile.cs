// One patch file of a kernel that does not run, and whether it would count there.
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Readiness;

internal enum FileStanding
{
    /// <summary>Nothing in the file and nothing that outlives a reboot stands against it.</summary>
    Ready,

    /// <summary>Nothing that was looked at stands against it, and its module was not looked at.</summary>
    Unchecked,

    /// <summary>The file is good, and a mark keeps it out of the kernel.</summary>
    KeptOut,

    Refused,
}

/// <param name="Name">The module's, or the file's where the module cannot be read; null when that is no module name.</param>
internal sealed record PatchFile(string Path, PatchName? Name, FileStanding Standing)
{
    public Reason? Reason { get; init; }

    public string? Detail { get; init; }

    public Sha256? Digest { get; init; }

    public Manifest? Manifest { get; init; }

    /// <summary>Null where only the module's code knows.</summary>
    public bool? Cumulative { get; init; }

    public string FileName => System.IO.Path.GetFileName(Path);

    public bool IsPossible => Standing is FileStanding.Ready or FileStanding.Unchecked;

    public PatchFile Because(FileStanding standing, Reason reason, string detail) => this with { Standing = standing, Reason = reason, Detail = detail };

    public PatchFile Unchecked(string detail) => Standing is FileStanding.Ready ? this with { Standing = FileStanding.Unchecked, Detail = detail } : this;

    public bool NamesCve(string cve) => Manifest?.Cves.Contains(cve) == true;

    public static string Word(FileStanding standing) => standing switch
    {
        FileStanding.Ready => "ready",
        FileStanding.Unchecked => "unchecked",
        FileStanding.KeptOut => "kept-out",
        _ => "refused",
    };
}
