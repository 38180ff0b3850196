// Reads /proc/net/softnet_stat: a line of hexadecimal counters per CPU; the third is time_squeeze.
namespace LivePatchd.Core.Parsing;

public static class SoftnetParser
{
    private const int SqueezeColumn = 2;

    /// <summary>
    /// How often network work was cut short because its time was up, summed over CPUs. Null when there is no line, or one that
    /// cannot be read: a sum without it would jump.
    /// </summary>
    public static ulong? TimeSqueezes(ReadOnlySpan<byte> text)
    {
        ulong? sum = null;
        while (!text.IsEmpty)
        {
            if (!TextFields.TakeLine(ref text, out var line))
                return null;
            for (var column = 0; column < SqueezeColumn; column++)
                TextFields.TakeWord(ref line, out _);
            // The kernel's counters have 32 bits; eight digits keep the sum from overflowing whatever the file holds.
            if (!TextFields.TakeWord(ref line, out var word) || word.Length > 8 || TextFields.Number(word, 'x') is not { } count)
                return null;
            sum = (sum ?? 0) + count;
        }
        return sum;
    }
}
