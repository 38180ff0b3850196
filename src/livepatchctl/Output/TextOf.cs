// Text fit for a terminal: free of control characters, cut to a width, wrapped between words.
using System.Text;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Ctl.Output;

internal static class TextOf
{
    private const string Ellipsis = "...";

    /// <summary>One line without control or format characters; whatever came over the bus passes through here before it is printed.</summary>
    public static string Clean(string text) => Printable.Line(text, int.MaxValue);

    public static string WithoutStop(string sentence) => sentence.TrimEnd(' ', '.');

    /// <summary>Columns on a terminal. Outside ASCII a character counts as two: too wide a guess keeps a table inside its frame, too narrow a one does not.</summary>
    public static int Width(string text)
    {
        var width = 0;
        foreach (var rune in text.EnumerateRunes())
            width += rune.IsAscii ? 1 : 2;
        return width;
    }

    public static string Cut(string text, int width)
    {
        if (Width(text) <= width)
            return text;
        var kept = new StringBuilder();
        var left = Math.Max(0, width - Ellipsis.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            left -= rune.IsAscii ? 1 : 2;
            if (left < 0)
                break;
            kept.Append(rune);
        }
        return kept.Append(Ellipsis.AsSpan(0, Math.Min(width, Ellipsis.Length))).ToString();
    }

    /// <summary>A word longer than a line keeps its line to itself, whole.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && Width(line) + 1 + Width(word) > width)
            {
                yield return line;
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }
        yield return line;
    }
}
