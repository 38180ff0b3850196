// Does a line of text begin as a template says? For lines of the kernel whose fixed parts prove that it wrote them.
namespace LivePatchd.Core.Parsing;

/// <summary>
/// `$` stands for decimal digits, `%` for hexadecimal ones, `~` for anything without a blank, `*` for up to <see cref="MaxAnything"/>
/// characters; each for one at least. All else stands for itself.
/// </summary>
internal static class LineTemplate
{
    /// <summary>A task's name of 15 bytes, each of them escaped ("\x0a").</summary>
    private const int MaxAnything = 60;

    /// <summary>How much of the text the template takes from its beginning; null when it does not fit.</summary>
    public static int? Match(ReadOnlySpan<char> text, ReadOnlySpan<char> template)
    {
        var taken = 0;
        for (var i = 0; i < template.Length; i++)
        {
            var most = template[i] switch
            {
                '$' => Run(text[taken..], char.IsAsciiDigit),
                '%' => Run(text[taken..], char.IsAsciiHexDigit),
                '~' => Run(text[taken..], c => c != ' '),
                '*' => Math.Min(text.Length - taken, MaxAnything),
                _ => -1,
            };
            if (most < 0)
            {
                if (taken >= text.Length || text[taken] != template[i])
                    return null;
                taken++;
                continue;
            }
            // Digits end where they end; of the others as little as possible is taken.
            var least = template[i] is '$' or '%' ? Math.Max(most, 1) : 1;
            for (var length = least; length <= most; length++)
            {
                if (Match(text[(taken + length)..], template[(i + 1)..]) is { } rest)
                    return taken + length + rest;
            }
            return null;
        }
        return taken;
    }

    public static bool Fits(string text, string template) => Match(text, template) is not null;

    /// <summary>The template takes the whole line.</summary>
    public static bool IsAll(string text, string template) => Match(text, template) == text.Length;

    private static int Run(ReadOnlySpan<char> text, Func<char, bool> belongs)
    {
        var length = 0;
        while (length < text.Length && belongs(text[length]))
            length++;
        return length;
    }
}
