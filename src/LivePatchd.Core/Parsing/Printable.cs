// Makes text of unknown origin fit for one line of a log, a status or a terminal.
using System.Globalization;
using System.Text;

namespace LivePatchd.Core.Parsing;

public static class Printable
{
    /// <summary>Control and format characters, line separators and broken encodings become '?'; longer text is cut and ends in '…'.</summary>
    public static string Line(ReadOnlySpan<char> text, int maxLength = 256)
    {
        var line = new StringBuilder(Math.Min(text.Length, maxLength));
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length + rune.Utf16SequenceLength > maxLength)
                return line.Append('…').ToString();
            line.Append(Disturbs(rune) ? new Rune('?') : rune);
        }
        return line.ToString();
    }

    // Format characters would let a file name reverse or hide what is printed after it.
    private static bool Disturbs(Rune rune) => rune == Rune.ReplacementChar || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control
        or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator;
}
