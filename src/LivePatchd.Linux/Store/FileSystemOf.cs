// Names the file system that an open directory lies on, so that another one mounted over it, or taken from over it, is told from it.
using System.Globalization;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

internal static class FileSystemOf
{
    public const string MountTable = "/proc/self/mountinfo";

    /// <summary>
    /// "major:minor root mountpoint". The id of the mount is not part of it: a service has mount namespaces of its own, and with each start
    /// other ids. Empty when nothing can be told.
    /// </summary>
    public static string Name(SystemRoot root, SafeFileHandle directory)
    {
        var seat = Sys.Seat(directory);
        if (!seat.IsOk)
            return "";
        var device = string.Create(CultureInfo.InvariantCulture, $"{seat.Value.Major}:{seat.Value.Minor}");
        return seat.Value.MountId is { } id && Mount(root, id) is { } mount ? $"{device} {mount}" : device;
    }

    private static string? Mount(SystemRoot root, ulong id)
    {
        try
        {
            return MountLine.Find(File.ReadAllText(root.Path(MountTable)), id);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
