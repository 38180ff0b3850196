// One error in a configuration or manifest file, with the place a person has to look at.
namespace LivePatchd.Core.Config;

/// <param name="Line">1-based; 0 when the whole file is meant.</param>
/// <param name="Key">Dotted path of the key, e.g. "metrics.listen"; empty when the file itself is at fault.</param>
public sealed record ConfigError(string File, int Line, string Key, string Message)
{
    /// <summary>The key or word that was probably meant, which the message names too; null when there is no near one.</summary>
    public string? Suggestion => KeySuggestion.Asked(Message);

    /// <summary>`file:line: key: message`, with "-" for the key when the file itself is at fault.</summary>
    public override string ToString() => $"{File}:{Line}: {(Key.Length == 0 ? "-" : Key)}: {Message}";
}
