// The completion scripts by the name of their shell, and what they have in common.
using System.Collections.Immutable;

namespace LivePatchd.Ctl.Completion;

internal static class CompletionScript
{
    /// <summary>The hidden verb that the scripts ask for the names of patches.</summary>
    public const string NamesVerb = "patch-names";

    public static readonly ImmutableArray<string> Shells = ["bash", "zsh", "fish"];

    public static string Of(string shell, CompletionCommand root) => shell switch
    {
        "bash" => BashScript.Of(root),
        "zsh" => ZshScript.Of(root),
        "fish" => FishScript.Of(root),
        _ => throw new ArgumentOutOfRangeException(nameof(shell)),
    };

    /// <summary>One word of a POSIX shell, whatever is in it.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>In fish a backslash counts within single quotes, too.</summary>
    public static string QuoteForFish(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
