// Finds the known key that a person who wrote an unknown one probably meant.
namespace LivePatchd.Core.Config;

internal static class KeySuggestion
{
    private const int MaxLength = 64;
    private const string Question = "did you mean ";

    /// <summary>How a message ends that suggests a word.</summary>
    public static string Ask(string word) => $"{Question}{word}?";

    /// <summary>The word that a message ends with the suggestion of; null when it suggests none.</summary>
    public static string? Asked(string message) =>
        message.LastIndexOf($"; {Question}", StringComparison.Ordinal) is >= 0 and var at && message[^1] == '?' ? message[(at + 2 + Question.Length)..^1] : null;

    /// <summary>A sentence part to put after "unknown key": the nearest sibling, the same key elsewhere, or the list of keys.</summary>
    public static string For(string unknown, string prefix, Schema.Map here, Schema.Map root)
    {
        if (Nearest(unknown, here.Keys.Select(k => k.Name)) is { } sibling)
            return Ask(Join(prefix, sibling));
        if (Paths("", root).FirstOrDefault(p => LastPart(p) == unknown.Replace('_', '-')) is { } elsewhere)
            return Ask(elsewhere);
        return $"known keys here: {string.Join(", ", here.Keys.Select(k => k.Name))}";
    }

    public static string? Nearest(string unknown, IEnumerable<string> known)
    {
        if (unknown.Length > MaxLength)
            return null;
        var text = unknown.Replace('_', '-').ToLowerInvariant();
        return known
            .Select(name => (name, distance: Distance(text, name)))
            .Where(c => c.distance <= Math.Max(1, Math.Min(c.name.Length, text.Length) / 3))
            .OrderBy(c => c.distance)
            .Select(c => c.name)
            .FirstOrDefault();
    }

    public static string Join(string prefix, string key) => prefix.Length == 0 ? key : $"{prefix}.{key}";

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.</summary>
    internal static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(replace, 1 + Math.Min(rows[i - 1, j], rows[i, j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }
        return rows[a.Length, b.Length];
    }

    private static IEnumerable<string> Paths(string prefix, Schema.Map map)
    {
        foreach (var key in map.Keys)
        {
            var path = Join(prefix, key.Name);
            yield return path;
            if (key.Value is Schema.Map inner)
            {
                foreach (var deeper in Paths(path, inner))
                    yield return deeper;
            }
        }
    }

    private static string LastPart(string path) => path[(path.LastIndexOf('.') + 1)..];
}
