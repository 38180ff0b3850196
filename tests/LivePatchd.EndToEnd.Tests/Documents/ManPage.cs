// One man page's source: its sections, its sub-sections, and the terms that are explained in each.
using System.Text.RegularExpressions;
using LivePatchd.Core.Tests;

namespace LivePatchd.EndToEnd.Tests;

/// <param name="Line">The whole line, as written.</param>
internal sealed record ManTerm(string Line, string Text)
{
    public IEnumerable<string> Bold => Regex.Matches(Line, @"\*\*(?<name>[^*]+)\*\*").Select(m => m.Groups["name"].Value);
}

internal sealed partial class ManPage
{
    private readonly string text;

    public ManPage(string name)
    {
        Source = RepositoryFile.PathOf($"docs/man/{name}.md");
        text = File.ReadAllText(Source);
    }

    public static IEnumerable<string> Names => ["livepatchctl.1", "livepatchd.8", "livepatchd.yaml.5", "org.livepatchd1.5"];

    public string Source { get; }

    /// <param name="subsection">Null for the whole section.</param>
    public IReadOnlyList<ManTerm> Terms(string section, string? subsection = null)
    {
        var part = Part(text, "# " + section);
        if (subsection is not null)
            part = Part(part, "### " + subsection);
        return [.. Term().Matches(part).Select(m => new ManTerm(m.Groups["term"].Value, m.Groups["text"].Value))];
    }

    public IReadOnlyList<string> Subsections(string section) =>
        [.. Subsection().Matches(Part(text, "# " + section)).Select(m => m.Groups["title"].Value)];

    /// <summary>Up to the next heading of the same rank or a higher one.</summary>
    private static string Part(string text, string heading)
    {
        var from = text.IndexOf($"\n{heading}\n", StringComparison.Ordinal);
        Assert.True(from >= 0, $"no heading {heading}");
        var next = Regex.Match(text[(from + 2)..], $@"\n#{{1,{heading.IndexOf(' ', StringComparison.Ordinal)}}} ");
        return next.Success ? text.Substring(from, next.Index + 3) : text[from..];
    }

    [GeneratedRegex(@"^(?<term>[*][^\n]+)\n: (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Term();

    [GeneratedRegex("^### (?<title>.+)$", RegexOptions.Multiline)]
    private static partial Regex Subsection();
}
