// Cuts the kernel's text files into lines, words and numbers; a line without its end was cut off and is not believed.
using System.Buffers.Text;

namespace LivePatchd.Core.Parsing;

internal static class TextFields
{
    private const int MaxFractionDigits = 9;

    /// <summary>The next whole line, without its end. False leaves what was cut off, if anything, in the text.</summary>
    public static bool TakeLine(ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> line)
    {
        var end = text.IndexOf((byte)'\n');
        line = end < 0 ? default : text[..end];
        text = text[(end + 1)..];
        return end >= 0;
    }

    /// <summary>The next word; false at the end of the line.</summary>
    public static bool TakeWord(ref ReadOnlySpan<byte> line, out ReadOnlySpan<byte> word)
    {
        line = line.TrimStart(" \t"u8);
        var end = line.IndexOfAny((byte)' ', (byte)'\t');
        word = end < 0 ? line : line[..end];
        line = end < 0 ? default : line[end..];
        return !word.IsEmpty;
    }

    /// <summary>Null unless the word is a number and nothing else. <paramref name="format"/> is 'x' for hexadecimal digits.</summary>
    public static ulong? Number(ReadOnlySpan<byte> word, char format = 'D') =>
        word is [not (byte)'+', ..] && Utf8Parser.TryParse(word, out ulong value, out var used, format) && used == word.Length ? value : null;

    /// <summary>Digits, a point, digits: no sign, no exponent, no infinity.</summary>
    public static double? Decimal(ReadOnlySpan<byte> word)
    {
        var point = word.IndexOf((byte)'.');
        if (point < 0)
            return Number(word);
        var fraction = word[(point + 1)..];
        return fraction.Length is > 0 and <= MaxFractionDigits && Number(word[..point]) is { } whole && Number(fraction) is { } parts
            ? whole + (parts / Math.Pow(10, fraction.Length))
            : null;
    }
}
