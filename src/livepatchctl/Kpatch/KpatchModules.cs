// Finds patch modules the way kpatch does: by path, by file name, or by module name among those that are installed.
namespace LivePatchd.Ctl.Kpatch;

internal static class KpatchModules
{
    private const string Plain = ".ko";

    // As many as the daemon takes of one directory.
    private const int MaxEntries = 1000;

    // The compressed ones are livepatchd's addition.
    private static readonly string[] Endings = [Plain, ".ko.xz", ".ko.zst", ".ko.gz"];

    /// <summary>`/a/kpatch-foo.ko` is the module kpatch_foo.</summary>
    public static string NameOf(string path)
    {
        var name = Path.GetFileName(path);
        var ending = Endings.FirstOrDefault(e => name.EndsWith(e, StringComparison.Ordinal)) ?? "";
        return name[..^ending.Length].Replace('-', '_');
    }

    /// <summary>Null when there is no such file. What has `.ko` in it is a file, anything else the name of an installed module.</summary>
    public static string? Find(KpatchHost host, string argument)
    {
        if (!argument.Contains(Plain, StringComparison.Ordinal))
            return Installed(host, host.Release).FirstOrDefault(file => NameOf(file) == NameOf(argument));
        if (File.Exists(argument))
            return argument;
        var installed = Path.Join(host.DirectoryOf(host.Release), argument);
        return File.Exists(installed) ? installed : null;
    }

    /// <summary>Paths, in the order of their names.</summary>
    public static List<string> Installed(KpatchHost host, string release) =>
        [.. Entries(host.DirectoryOf(release)).Where(static f => Endings.Any(e => f.EndsWith(e, StringComparison.Ordinal)) && File.Exists(f))];

    /// <summary>Kernels that something may be installed for.</summary>
    public static List<string> Releases(KpatchHost host) =>
        [.. Entries(host.On(KpatchHost.InstallDirectory)).Where(Directory.Exists).Select(static d => Path.GetFileName(d))];

    private static List<string> Entries(string directory)
    {
        try
        {
            return
            [
                .. Directory.EnumerateFileSystemEntries(directory)
                    .Where(static e => !Path.GetFileName(e.AsSpan()).StartsWith('.'))
                    .Take(MaxEntries).Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
