// Reads /proc/pressure/{io,cpu,memory}: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same for "full".
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Parsing;

public static class PsiParser
{
    private static readonly ulong MaxMicroseconds = (ulong)(TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>Null without a whole and sound `some` line, or with a `full` line that is not.</summary>
    public static PsiReading? Parse(ReadOnlySpan<byte> text)
    {
        PsiLine? some = null;
        PsiLine? full = null;
        while (TextFields.TakeLine(ref text, out var line))
        {
            if (!TextFields.TakeWord(ref line, out var kind) || Line(line) is not { } values)
                return null;
            if (kind.SequenceEqual("some"u8))
                some = values;
            else if (kind.SequenceEqual("full"u8))
                full = values;
        }
        return some is { } found && text.IsEmpty ? new PsiReading(found, full) : null;
    }

    private static PsiLine? Line(ReadOnlySpan<byte> line) =>
        TakeRatio(ref line, "avg10="u8) is { } avg10
        && TakeRatio(ref line, "avg60="u8) is { } avg60
        && TakeRatio(ref line, "avg300="u8) is { } avg300
        && TakeValue(ref line, "total="u8, out var total)
        && TextFields.Number(total) is { } microseconds && microseconds <= MaxMicroseconds
            ? new PsiLine(avg10, avg60, avg300, TimeSpan.FromTicks((long)microseconds * TimeSpan.TicksPerMicrosecond))
            : null;

    private static double? TakeRatio(ref ReadOnlySpan<byte> line, ReadOnlySpan<byte> name) =>
        TakeValue(ref line, name, out var value) && TextFields.Decimal(value) is { } percent && percent <= 100 ? percent / 100 : null;

    private static bool TakeValue(ref ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var found = TextFields.TakeWord(ref line, out var word) && word.StartsWith(name);
        value = found ? word[name.Length..] : default;
        return found;
    }
}
