// The kernel's own records of crashes: as pstore holds them, and where systemd-pstore has put them away.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Kernel;

public static class CrashFiles
{
    internal const string Pstore = "/sys/fs/pstore";
    internal const string Archive = "/var/lib/systemd/pstore";

    /// <summary>One crash has some ten files of some KiB; a console's record may be as large as the memory that is set aside for it.</summary>
    private const int MaxFiles = 64;
    private const int MaxBytes = 64 * 1024;
    private const int MaxEntries = 1000;

    /// <summary>Directories by time and number beneath the archive.</summary>
    private const int MaxDepth = 2;

    /// <summary>The newest files, each with its last <see cref="MaxBytes"/>. What is not there, or cannot be read, is left out.</summary>
    /// <remarks>systemd-pstore may be at work: it writes a copy before it removes the original, hence this order.</remarks>
    public static ImmutableArray<CrashFile> Read(SystemRoot root)
    {
        ArgumentNullException.ThrowIfNull(root);
        var found = new Dictionary<string, (string Path, long Modified)>(StringComparer.Ordinal);
        var files = ImmutableArray.CreateBuilder<CrashFile>();
        Collect(root, Pstore, 0, found);
        Take(root, found.Values, files);
        found.Clear();
        Collect(root, Archive, MaxDepth, found);
        Take(root, found.Where(f => files.All(t => t.Name != f.Key)).Select(static f => f.Value), files);
        return files.ToImmutable();
    }

    private static void Collect(SystemRoot root, string directory, int depth, Dictionary<string, (string Path, long Modified)> found)
    {
        var listing = DirectoryListing.Read(root.Path(directory), MaxEntries);
        if (!listing.IsOk)
            return;
        foreach (var name in listing.Value)
        {
            var path = $"{directory}/{name}";
            if (Sys.Stat(root.Path(path), follow: false) is not { IsOk: true, Value: var stat })
                continue;
            if (stat.IsDirectory && depth > 0)
                Collect(root, path, depth - 1, found);
            else if (stat.IsRegular && CrashFile.IsLog(name) && (!found.TryGetValue(name, out var other) || other.Modified < stat.ModifiedNanoseconds))
                found[name] = (path, stat.ModifiedNanoseconds);
        }
    }

    private static void Take(SystemRoot root, IEnumerable<(string Path, long Modified)> found, ImmutableArray<CrashFile>.Builder files)
    {
        foreach (var (path, modified) in found.OrderByDescending(static f => f.Modified).Take(MaxFiles))
        {
            if (FileTail.Read(root, path, MaxBytes) is { IsOk: true, Value: { Bytes.Length: > 0 } tail })
                files.Add(new CrashFile(Path.GetFileName(path), DateTimeOffset.UnixEpoch.AddTicks(modified / 100), Encoding.Latin1.GetString(tail.Bytes)));
        }
    }
}
