// Reads /proc/loadavg: "0.20 0.18 0.12 1/80 11206".
namespace LivePatchd.Core.Parsing;

public static class LoadParser
{
    /// <summary>The load average of one minute; null when the text is something else.</summary>
    public static double? OneMinute(ReadOnlySpan<byte> text) =>
        TextFields.TakeLine(ref text, out var line) && TextFields.TakeWord(ref line, out var word) ? TextFields.Decimal(word) : null;

    /// <summary>All threads of the machine, the figure after the slash; null when the text is something else.</summary>
    public static int? Threads(ReadOnlySpan<byte> text)
    {
        if (!TextFields.TakeLine(ref text, out var line))
            return null;
        for (var averages = 0; averages < 3; averages++)
        {
            if (!TextFields.TakeWord(ref line, out _))
                return null;
        }
        if (!TextFields.TakeWord(ref line, out var word))
            return null;
        return word.IndexOf((byte)'/') is var slash and >= 0 && TextFields.Number(word[(slash + 1)..]) is { } threads and <= int.MaxValue ? (int)threads : null;
    }
}
