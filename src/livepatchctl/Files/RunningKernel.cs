// What /proc says of the running kernel and the host's name; null where it does not.
namespace LivePatchd.Ctl.Files;

/// <param name="Release">`uname -r`.</param>
/// <param name="Build">`uname -v`.</param>
internal sealed record RunningKernel(string? Release, string? Build, string? HostName)
{
    public static RunningKernel Read(string root) => new(Line(root, "osrelease"), Line(root, "version"), Line(root, "hostname"));

    private static string? Line(string root, string name)
    {
        try
        {
            using var file = File.OpenText($"{root}/proc/sys/kernel/{name}");
            return file.ReadLine() is { Length: > 0 and <= 256 } line ? line.Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
