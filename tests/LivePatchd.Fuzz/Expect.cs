// What checks ask of results.
using System.Globalization;

namespace LivePatchd.Fuzz;

internal static class Expect
{
    public static void That(bool condition, string promise)
    {
        if (!condition)
            throw new BrokenPromiseException(promise);
    }

    /// <summary>Fit to be shown: it cannot break or forge a line of a log or move a terminal's cursor.</summary>
    public static void OneLine(string? text, int maxLength, string what)
    {
        if (text is null)
            return;
        That(text.Length <= maxLength, $"{what} is longer than {maxLength}");
        foreach (var c in text)
        {
            That(
                char.GetUnicodeCategory(c) is not (UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator) && c != '\u202E',
                $"{what} holds U+{(int)c:X4}");
        }
    }

    /// <summary>Short words for sizes, so that kinds of results stay few.</summary>
    public static string Size(long count) => count switch { 0 => "0", 1 => "1", < 10 => "some", < 1000 => "many", _ => "masses" };
}
