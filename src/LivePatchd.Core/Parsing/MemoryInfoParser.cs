// Reads /proc/meminfo for the one figure that matters to a load: how much could be had without swapping.
namespace LivePatchd.Core.Parsing;

public static class MemoryInfoParser
{
    /// <summary>MemAvailable in bytes; null when it is not there.</summary>
    public static long? AvailableBytes(ReadOnlySpan<byte> text)
    {
        while (TextFields.TakeLine(ref text, out var line))
        {
            if (!line.StartsWith("MemAvailable:"u8))
                continue;
            line = line["MemAvailable:".Length..];
            return TextFields.TakeWord(ref line, out var number) && TextFields.Number(number) is { } kib and <= long.MaxValue / 1024
                ? (long)kib * 1024
                : null;
        }
        return null;
    }
}
