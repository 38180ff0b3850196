// What the scans before this one saw: tells a file that somebody took out from one that is out of sight.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Planning;

/// <summary>
/// A missing file takes a patch out of the kernel, so it must be certain that it is missing. It counts only where its directory is there and
/// is on the file system where the file was seen before; and only when it has been missing for the directory's grace and a scan after that
/// still misses it. Until then nothing has happened.
/// </summary>
public sealed record WishMemory
{
    /// <summary>Nothing was scanned yet.</summary>
    public static WishMemory Empty { get; } = new();

    private DesiredState Scan { get; init; } = DesiredState.Empty;

    /// <summary>By path: the files of the last scan, and those missing since, for as long as their patches are loaded.</summary>
    private ImmutableDictionary<string, WantedPatch> Known { get; init; } = ImmutableDictionary<string, WantedPatch>.Empty;

    private ImmutableDictionary<string, Absence> Missing { get; init; } = ImmutableDictionary<string, Absence>.Empty;

    private ImmutableHashSet<PatchName> Unstaged { get; init; } = [];

    /// <summary>When a scan is worth it for the sake of files that are missing; null when none is.</summary>
    public Instant? NextLook => Missing.Values.Where(static a => !a.Counts).Select(static a => (Instant?)a.Until).OrderBy(static u => u!.Value.Monotonic).FirstOrDefault();

    /// <param name="begun">When the scan began: what it misses was missing by then.</param>
    public WishMemory After(DesiredState scan, Instant begun, IReadOnlyCollection<OwnedPatch> owned, ImmutableArray<WatchedDirectory> directories)
    {
        ArgumentNullException.ThrowIfNull(scan);
        ArgumentNullException.ThrowIfNull(owned);
        var known = scan.Wanted.ToImmutableDictionary(static w => w.Path);
        var missing = ImmutableDictionary<string, Absence>.Empty;
        foreach (var patch in owned.Where(p => IsMissing(p, scan)))
        {
            if (Known.TryGetValue(patch.Path, out var before))
                known = known.SetItem(patch.Path, before);
            if (Obstacle(patch, known, scan) is not null || !scan.Seats.ContainsKey(DirectoryOf(patch.Path)))
                continue;
            var since = Missing.TryGetValue(patch.Path, out var earlier) ? earlier.Since : begun;
            var until = since.After(GraceOf(patch.Path, directories));
            missing = missing.SetItem(patch.Path, new Absence(since, until, Unstaged.Contains(patch.Name) || !begun.IsBefore(until)));
        }
        return new WishMemory
        {
            Scan = scan,
            Known = known,
            Missing = missing,
            Unstaged = Unstaged.Intersect(owned.Select(static p => p.Name)).Except(scan.Wanted.Select(static w => w.Name)),
        };
    }

    /// <summary>Somebody asked for the file to be taken out: it is not waited for.</summary>
    public WishMemory WithUnstaged(PatchName name) => this with { Unstaged = Unstaged.Add(name) };

    /// <summary>What the directories ask for, as far as that can be told of the patches that are loaded now.</summary>
    public DesiredState Judge(IReadOnlyCollection<OwnedPatch> owned)
    {
        ArgumentNullException.ThrowIfNull(owned);
        var wanted = Scan.Wanted;
        var unreadable = Scan.Unreadable;
        var awaited = ImmutableHashSet<PatchName>.Empty;
        var outOfSight = ImmutableHashSet<PatchName>.Empty;
        foreach (var patch in owned.Where(p => IsMissing(p, Scan)))
        {
            if (Obstacle(patch, Known, Scan) is { } obstacle)
            {
                outOfSight = outOfSight.Add(patch.Name);
                if (!unreadable.Contains(obstacle))
                    unreadable = unreadable.Add(obstacle);
            }
            else if (Missing.TryGetValue(patch.Path, out var absence) && !absence.Counts)
            {
                awaited = awaited.Add(patch.Name);
                if (Known.TryGetValue(patch.Path, out var before) && before.Name == patch.Name && before.Module.Digest == patch.Digest)
                    wanted = wanted.Add(before);
            }
        }
        return Scan with { Wanted = wanted, Unreadable = unreadable, Awaited = awaited, OutOfSight = outOfSight };
    }

    /// <summary>Nothing in the directories bears its name or lies at its path.</summary>
    private static bool IsMissing(OwnedPatch patch, DesiredState scan) =>
        patch.Path.Length > 0
        && scan.Wanted.All(w => w.Name != patch.Name)
        && scan.Refused.All(r => r.Name != patch.Name && r.Path != patch.Path);

    /// <summary>Why the missing file says nothing.</summary>
    private static UnreadableDirectory? Obstacle(OwnedPatch patch, ImmutableDictionary<string, WantedPatch> known, DesiredState scan)
    {
        var directory = DirectoryOf(patch.Path);
        // A directory that is not watched any more was taken out of the configuration on purpose.
        if (!scan.Seats.TryGetValue(directory, out var now))
            return null;
        var before = known.TryGetValue(patch.Path, out var seen) ? seen.FileSystem : patch.FileSystem;
        return string.IsNullOrEmpty(before) || now.Length == 0 || before == now
            ? null
            : new UnreadableDirectory(directory, Errno.EXDEV, $"another file system than before ({now}, was {before})");
    }

    private static TimeSpan GraceOf(string path, ImmutableArray<WatchedDirectory> directories) => directories
        .Where(d => path.StartsWith(d.Path.TrimEnd('/') + "/", StringComparison.Ordinal))
        .Select(static d => (TimeSpan?)d.Grace)
        .FirstOrDefault() ?? WatchedDirectory.DefaultGrace;

    private static string DirectoryOf(string path) => path.LastIndexOf('/') is > 0 and var end ? path[..end] : "/";

    /// <param name="Counts">It has been missing for long enough, or somebody asked for it.</param>
    private sealed record Absence(Instant Since, Instant Until, bool Counts);
}
