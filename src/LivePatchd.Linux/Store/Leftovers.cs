// Removes at the start what a killed daemon left half done beside its files: temporary files and hidden staging directories.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Store;

/// <summary>Only for the one daemon of the host, before it writes anything. The store's own leftovers go with <see cref="PatchStore.Collect"/>.</summary>
public sealed class Leftovers(SystemRoot root, PatchStore store)
{
    internal const string StagingPrefix = ".staging-";

    private const string StateDirectory = "/var/lib/livepatchd/state";
    private const int MaxEntries = 10_000;

    /// <returns>How many were removed. What cannot be removed is tried again at the next start.</returns>
    public int Sweep(ImmutableArray<WatchedDirectory> directories)
    {
        var removed = 0;
        foreach (var name in Names(root.Path(StateDirectory), TempFile.Prefix))
            removed += LibC.unlink($"{root.Path(StateDirectory)}/{name}") == 0 ? 1 : 0;
        foreach (var directory in directories.Where(d => !d.ReadOnly).Select(d => root.Path(d.Path.TrimEnd('/'))))
        {
            foreach (var release in Names(directory, ""))
                removed += SweepStaging($"{directory}/{release}");
        }
        return removed;
    }

    // Where others can write, a name may lead anywhere by the time it is removed.
    private int SweepStaging(string directory)
    {
        var names = Names(directory, StagingPrefix);
        if (names.Count == 0)
            return 0;
        var opened = Sys.Open(directory, LibC.PathOnly | LibC.Directory | LibC.NoFollow);
        if (!opened.IsOk)
            return 0;
        using var handle = opened.Value;
        if (store.Trust.Check(handle, directory, own: 2) is not null)
            return 0;
        var removed = 0;
        foreach (var name in names)
        {
            var hidden = Sys.OpenBeneath(handle, name, LibC.ReadOnly | LibC.Directory);
            if (!hidden.IsOk)
                continue;
            using var staging = hidden.Value;
            if (Sys.Stat(staging) is not { IsOk: true } stat || stat.Value.Uid != store.Trust.Owner)
                continue;
            foreach (var file in Names($"/proc/self/fd/{staging.DangerousGetHandle()}", ""))
                _ = LibC.unlinkat(staging, file, 0);
            removed += LibC.unlinkat(handle, name, LibC.AtRemoveDirectory) == 0 ? 1 : 0;
        }
        return removed;
    }

    private static List<string> Names(string directory, string prefix) =>
        DirectoryListing.Read(directory, MaxEntries) is { IsOk: true } listing
            ? listing.Value.FindAll(n => n.StartsWith(prefix, StringComparison.Ordinal))
            : [];
}
