// `config check` looks at the watched directories too: a path that is misspelt is no error of syntax, and asks for nothing.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Config;

public static class DirectoryCheck
{
    private const string Key = "directories";

    /// <summary>The result with what is wrong with its directories; for people who ask, not for a daemon that starts: a volume may be late.</summary>
    public static ConfigResult With(ConfigResult result, SystemRoot root)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(root);
        var origin = result.Origins.FirstOrDefault(static o => o.Key == Key);
        var problems = result.Settings.Directories.Select(d => Look(root, d.Path)).OfType<UnreadableDirectory>()
            .ToLookup(p => IsError(p, origin), p => new ConfigError(origin?.File ?? "default", origin?.Line ?? 0, Key, $"{p.Path}: {p.Detail}"));
        return result with { Errors = [.. result.Errors, .. problems[true]], Warnings = [.. result.Warnings, .. problems[false]] };
    }

    // The default directory is made by the unit when it starts, and is closed to whoever is not root.
    private static bool IsError(UnreadableDirectory problem, ConfigOrigin? origin) => problem.Errno switch
    {
        Errno.EACCES or Errno.EPERM => Environment.IsPrivilegedProcess,
        Errno.ENOENT => origin?.File is not null,
        _ => true,
    };

    /// <summary>Null when it can be read.</summary>
    private static UnreadableDirectory? Look(SystemRoot root, string watched)
    {
        var outer = Sys.Open(root.Path(watched), LibC.PathOnly | LibC.Directory);
        if (!outer.IsOk)
            return new(watched, outer.Errno);
        using var handle = outer.Value;
        if (Release(root) is not { Length: > 0 } release)
            return null;
        var path = $"{watched.TrimEnd('/')}/{release}";
        var inner = Sys.OpenBeneath(handle, release, LibC.ReadOnly | LibC.Directory);
        if (!inner.IsOk)
            return inner.Errno is Errno.ENOENT ? null : new(path, inner.Errno);
        inner.Value.Dispose();
        var listing = DirectoryListing.Read(root.Path(path), DirectoryScanner.MaxEntries, DirectoryScanner.IsPatchFile);
        return listing.IsOk ? null : new(path, listing.Errno);
    }

    private static string? Release(SystemRoot root)
    {
        try
        {
            return File.ReadAllText(root.Path("/proc/sys/kernel/osrelease")).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
