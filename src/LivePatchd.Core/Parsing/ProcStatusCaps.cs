// Reads the effective capability set out of /proc/<pid>/status.
using System.Buffers.Text;

namespace LivePatchd.Core.Parsing;

public static class ProcStatusCaps
{
    private const int SysModule = 16;

    /// <summary>False when the line is missing or unreadable: a capability that cannot be shown is not assumed.</summary>
    public static bool CanLoadModules(ReadOnlySpan<byte> status) =>
        Effective(status) is { } set && (set & (1UL << SysModule)) != 0;

    /// <summary>The CapEff mask; null when there is none.</summary>
    public static ulong? Effective(ReadOnlySpan<byte> status)
    {
        while (!status.IsEmpty)
        {
            var end = status.IndexOf((byte)'\n');
            var line = end < 0 ? status : status[..end];
            status = end < 0 ? default : status[(end + 1)..];
            if (!line.StartsWith("CapEff:"u8))
                continue;
            var digits = line["CapEff:"u8.Length..].Trim("\t "u8);
            return Utf8Parser.TryParse(digits, out ulong set, out var used, 'x') && used == digits.Length ? set : null;
        }
        return null;
    }
}
