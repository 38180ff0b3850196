// One installed kernel: the patches that lie ready for it, and which of today's fixes they would not bring.
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Readiness;

/// <param name="Lost">Fixed now, and named by no patch that could be loaded there; null when it is not known what is fixed now.</param>
/// <param name="Unsure">Fixed now, and named there only by patches that may not be loaded, or not stay.</param>
internal sealed record KernelOutlook(string Release, bool IsRunning, PatchFolder Folder, IReadOnlyList<string>? Lost, IReadOnlyList<string>? Unsure)
{
    /// <summary>In force now, naming no CVE, and no file for that kernel would bring them; null when it is not known what is in force now.</summary>
    public IReadOnlyList<string>? LostPatches { get; init; }

    /// <summary>The same, but there are files of other names that may be their builds for that kernel.</summary>
    public IReadOnlyList<string>? UnsurePatches { get; init; }

    /// <summary>Something is wrong that would show after a reboot.</summary>
    public bool IsWanting => Lost is { Count: > 0 } || Unsure is { Count: > 0 } || LostPatches is { Count: > 0 } || UnsurePatches is { Count: > 0 } || Folder.Files.Any(static f => f.Standing is FileStanding.Refused);

    /// <param name="fixedNow">Null when that is not known.</param>
    /// <param name="unnamed">Patches in force that name no CVE: they are counted by their names.</param>
    /// <param name="loads">False when the daemon only observes: then it would load nothing.</param>
    public static KernelOutlook Of(string release, bool isRunning, PatchFolder folder, IReadOnlyCollection<string>? fixedNow, IReadOnlyCollection<string> unnamed, bool loads)
    {
        if (fixedNow is null || folder.Unreadable.Count > 0)
            return new(release, isRunning, folder, null, null);
        var possible = folder.Files.Where(static f => f.IsPossible).ToList();
        var lost = fixedNow.Where(cve => !possible.Any(f => f.NamesCve(cve))).ToList();
        var unsure = fixedNow.Where(cve => possible.Any(f => f.NamesCve(cve)) && !possible.Any(f => f.NamesCve(cve) && loads && WillStay(f, possible))).ToList();
        var absent = unnamed.Where(n => possible.TrueForAll(f => f.Name?.Value != n)).ToList();
        var others = possible.Exists(f => f.Manifest is not { Cves.IsEmpty: false } && (f.Name is not { } name || !unnamed.Contains(name.Value)));
        return new(release, isRunning, folder, lost, unsure)
        {
            LostPatches = others ? [] : absent,
            UnsurePatches = others ? absent : [],
        };
    }

    // A cumulative patch takes out what was loaded before it, and the order of two loads is settled only then.
    private static bool WillStay(PatchFile file, List<PatchFile> all) =>
        all.All(other => other.Identity?.Key == file.Identity?.Key || other.Cumulative == false);
}

/// <param name="Host">Null when the daemon cannot be asked.</param>
/// <param name="InForce">Patches that fix something in the running kernel now.</param>
/// <param name="Unknown">What could not be learnt, a phrase each.</param>
internal sealed record ReadinessReport(
    HostFacts? Host, string? Running, IReadOnlyList<string> Directories, IReadOnlyList<PatchFacts> InForce, IReadOnlyList<KernelOutlook> Kernels, IReadOnlyList<string> Unknown)
{
    public IEnumerable<string> FixersOf(string cve) => InForce.Where(p => p.Cves.Contains(cve)).Select(CveAnswer.Named);
}
