// Makes text of unknown origin fit for one line of a log, a status or a terminal.
using System.Text;

namespace LivePatchd.Linux.Native;

internal static class Printable
{
    /// <summary>Control characters, line separators and broken surrogates become '?'; longer text is cut.</summary>
    internal static string Line(ReadOnlySpan<char> text, int maxLength = 256)
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
        is System.Globalization.UnicodeCategory.Control
        or System.Globalization.UnicodeCategory.Format
        or System.Globalization.UnicodeCategory.LineSeparator
        or System.Globalization.UnicodeCategory.ParagraphSeparator;
}
