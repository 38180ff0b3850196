// The kernels that this host could boot, by what is installed: never by a boot loader's configuration.
namespace LivePatchd.Ctl.Readiness;

internal static class InstalledKernels
{
    public const string Modules = "/lib/modules";

    private const int MaxEntries = 1000;

    // uname's field has 65 bytes with its end.
    private const int MaxRelease = 64;

    /// <summary>Releases in order, the running one first; null when the directory cannot be read.</summary>
    /// <param name="running">Listed in any case where it is known: it runs.</param>
    public static IReadOnlyList<string>? List(string root, string? running)
    {
        try
        {
            var releases = Directory.EnumerateDirectories(root + Modules).Take(MaxEntries).Select(static d => Path.GetFileName(d))
                .Where(r => r.Length <= MaxRelease && r[0] != '.' && HasKernel(root, r));
            return [.. (running is null ? releases : releases.Append(running)).Distinct().OrderBy(r => r != running).ThenBy(static r => r, StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            return running is null ? [] : [running];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // What a removed package leaves behind has none of them.
    private static bool HasKernel(string root, string release) =>
        File.Exists($"{root}{Modules}/{release}/modules.dep") || File.Exists($"{root}{Modules}/{release}/vmlinuz") || File.Exists($"{root}/boot/vmlinuz-{release}");
}
