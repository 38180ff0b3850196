// livepatchd.yaml(5) against the schemas: every key is explained there with its default, and nothing else is.
using System.Text.RegularExpressions;
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Tests.Config;

public sealed partial class ConfigManualTests
{
    private static readonly string Page = File.ReadAllText(RepositoryFile.PathOf("docs/man/livepatchd.yaml.5.md"));

    private static Dictionary<string, string> Keys { get; } = Terms("KEYS");

    [Fact]
    public void The_page_has_every_key_of_the_configuration_and_no_other() =>
        Assert.Equal(Paths(ConfigSchema.Root, "").Select(k => k.Path).Order(StringComparer.Ordinal), Keys.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void The_page_has_every_key_of_a_manifest_and_no_other() =>
        Assert.Equal(ManifestSchema.Root.Keys.Select(k => k.Name).Order(StringComparer.Ordinal), Terms("MANIFESTS").Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Defaults_are_those_of_the_code()
    {
        foreach (var (path, key) in Paths(ConfigSchema.Root, "").Where(k => k.Key.Default is not null))
            Assert.EndsWith($"Default: {key.Default!.Replace("*", "\\*", StringComparison.Ordinal)}.", Keys[path], StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_that_must_be_there_say_so()
    {
        foreach (var (path, key) in Paths(ConfigSchema.Root, ""))
            Assert.Equal(key.Required, Keys[path].Contains("Required", StringComparison.Ordinal));
    }

    [Fact]
    public void Words_to_choose_from_are_all_named()
    {
        foreach (var (path, key) in Paths(ConfigSchema.Root, "").Where(k => k.Key.Default is not ("true" or "false") && !k.Path.EndsWith(".read-only", StringComparison.Ordinal)))
        {
            // What a word is refused with names those that are not.
            if (key.Value is Schema.Scalar { Rule: var rule } && rule("?") is { } refusal && OneOf().Match(refusal) is { Success: true } words)
                Assert.All(words.Groups["words"].Value.Split(", "), word => Assert.Contains($"**{word}**", Keys[path], StringComparison.Ordinal));
        }
    }

    /// <summary>Lists of maps have [] behind their name, and the keys of the maps behind that.</summary>
    private static IEnumerable<(string Path, SchemaKey Key)> Paths(Schema.Map map, string above) => map.Keys.SelectMany(key => key.Value switch
    {
        Schema.Map inner => Paths(inner, $"{above}{key.Name}."),
        Schema.List { Item: Schema.Map inner } => Paths(inner, $"{above}{key.Name}[]."),
        _ => [(above + key.Name, key)],
    });

    private static Dictionary<string, string> Terms(string section)
    {
        var start = Page.IndexOf($"\n# {section}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"the page has no section {section}");
        var end = Page.IndexOf("\n# ", start + 1, StringComparison.Ordinal);
        return (from match in Term().Matches(Page[start..end])
                from name in match.Groups["terms"].Value.Split(", ")
                select (Name: name.Trim('*'), Text: match.Groups["text"].Value)).ToDictionary(t => t.Name, t => t.Text);
    }

    [GeneratedRegex(@"^(?<terms>\*\*\S+\*\*(, \*\*\S+\*\*)*)\n: (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Term();

    [GeneratedRegex(@" is not one of (?<words>[a-z, -]+)$")]
    private static partial Regex OneOf();
}
