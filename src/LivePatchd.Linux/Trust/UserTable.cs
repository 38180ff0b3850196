// A user's number by name, from the host's own table: no name service, which could be far away or somebody else's.
using System.Globalization;
using System.Text;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Trust;

internal static class UserTable
{
    private const int MaxSize = 1 << 20;

    /// <summary>Null when /etc/passwd has no such user or cannot be read.</summary>
    internal static uint? Find(SystemRoot root, string name)
    {
        var opened = Sys.Open(root.Path("/etc/passwd"), LibC.ReadOnly | LibC.NonBlock);
        if (!opened.IsOk)
            return null;
        using var file = opened.Value;
        var buffer = new byte[MaxSize];
        var read = Sys.Read(file, buffer);
        if (!read.IsOk)
            return null;
        foreach (var line in Encoding.Latin1.GetString(buffer, 0, read.Value).Split('\n'))
        {
            if (line.Split(':') is [var user, _, var uid, ..] && user == name)
                return uint.TryParse(uid, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        }
        return null;
    }
}
