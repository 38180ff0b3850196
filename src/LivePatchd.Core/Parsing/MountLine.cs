// A line of /proc/self/mountinfo, as far as it tells one mount from another over restarts of the daemon and of namespaces.
using System.Globalization;

namespace LivePatchd.Core.Parsing;

public static class MountLine
{
    private const int Fields = 6;

    /// <summary>"root mountpoint" of the mount, escaped as the kernel escapes them; null when no line has that id.</summary>
    public static string? Find(ReadOnlySpan<char> mountInfo, ulong id)
    {
        Span<Range> field = stackalloc Range[Fields];
        foreach (var range in mountInfo.Split('\n'))
        {
            // 36 35 98:0 /root /mount/point options ...
            var line = mountInfo[range];
            if (line.Split(field, ' ') == Fields && ulong.TryParse(line[field[0]], NumberStyles.None, CultureInfo.InvariantCulture, out var found) && found == id)
                return $"{line[field[3]]} {line[field[4]]}";
        }
        return null;
    }
}
