// Reads the Tcp counters of /proc/net/snmp: a line of names, then a line of values, each beginning with "Tcp:".
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Parsing;

public static class SnmpParser
{
    /// <summary>Columns are found by their names: kernels add some. Null when one of them is missing or no number.</summary>
    public static TcpCounters? Tcp(ReadOnlySpan<byte> text)
    {
        while (TextFields.TakeLine(ref text, out var names))
        {
            if (!names.StartsWith("Tcp:"u8))
                continue;
            return TextFields.TakeLine(ref text, out var values)
                && Column(names, values, "OutSegs"u8) is { } sent
                && Column(names, values, "RetransSegs"u8) is { } again
                    ? new TcpCounters(sent, again)
                    : null;
        }
        return null;
    }

    private static ulong? Column(ReadOnlySpan<byte> names, ReadOnlySpan<byte> values, ReadOnlySpan<byte> wanted)
    {
        if (!values.StartsWith("Tcp:"u8))
            return null;
        while (TextFields.TakeWord(ref names, out var name) && TextFields.TakeWord(ref values, out var value))
        {
            if (name.SequenceEqual(wanted))
                return TextFields.Number(value);
        }
        return null;
    }
}
