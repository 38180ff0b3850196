// Reads one record of /dev/kmsg: "prefix,sequence,microseconds,flags[,...];message", then optional dictionary lines.
using System.Buffers.Text;
using System.Text;

namespace LivePatchd.Core.Parsing;

public static class KmsgParser
{
    /// <summary>The kernel never hands out a longer record (CONSOLE_EXT_LOG_MAX).</summary>
    public const int MaxRecordSize = 8192;

    private const int MaxMessageLength = 1024;

    /// <summary>Null when the bytes are no record.</summary>
    public static KernelLogRecord? Parse(ReadOnlySpan<byte> record)
    {
        if (record.Length > MaxRecordSize)
            record = record[..MaxRecordSize];
        var semicolon = record.IndexOf((byte)';');
        if (semicolon < 0)
            return null;
        var head = record[..semicolon];
        if (!TakeNumber(ref head, out var prefix) || !TakeNumber(ref head, out var sequence) || !TakeNumber(ref head, out var microseconds))
            return null;
        if (prefix > int.MaxValue || microseconds > (ulong)(TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond))
            return null;
        var message = record[(semicolon + 1)..];
        if (message.IndexOf((byte)'\n') is >= 0 and var end)
            message = message[..end];
        return new KernelLogRecord(
            Priority: (int)(prefix & 7),
            Facility: (int)(prefix >> 3),
            sequence,
            new TimeSpan((long)microseconds * TimeSpan.TicksPerMicrosecond),
            Text(message));
    }

    private static bool TakeNumber(ref ReadOnlySpan<byte> rest, out ulong value)
    {
        if (!Utf8Parser.TryParse(rest, out value, out var used))
            return false;
        rest = rest[used..];
        if (rest.IsEmpty)
            return true;
        if (rest[0] != (byte)',')
            return false;
        rest = rest[1..];
        return true;
    }

    // The kernel writes bytes that do not print, and the backslash itself, as \xHH.
    private static string Text(ReadOnlySpan<byte> message)
    {
        Span<byte> plain = stackalloc byte[Math.Min(message.Length, MaxMessageLength)];
        var length = 0;
        while (!message.IsEmpty && length < plain.Length)
        {
            if (message is [(byte)'\\', (byte)'x', _, _, ..]
                && Utf8Parser.TryParse(message.Slice(2, 2), out byte value, out var used, 'x') && used == 2)
            {
                plain[length++] = value is (byte)'\n' or (byte)'\t' ? (byte)' ' : value;
                message = message[4..];
                continue;
            }
            plain[length++] = message[0];
            message = message[1..];
        }
        return Printable.Line(Encoding.UTF8.GetString(plain[..length]), MaxMessageLength);
    }
}
