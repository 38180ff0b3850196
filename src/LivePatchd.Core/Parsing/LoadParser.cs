// Reads /proc/loadavg: "0.20 0.18 0.12 1/80 11206".
namespace LivePatchd.Core.Parsing;

public static class LoadParser
{
    /// <summary>The load average of one minute; null when the text is something else.</summary>
    public static double? OneMinute(ReadOnlySpan<byte> text) =>
        TextFields.TakeLine(ref text, out var line) && TextFields.TakeWord(ref line, out var word) ? TextFields.Decimal(word) : null;
}
