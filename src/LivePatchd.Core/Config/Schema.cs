// The shape of a file as data: which keys there are, what each may hold, and which of them this version acts on.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

/// <summary>Null when the text is acceptable, else what is wrong with it.</summary>
internal delegate string? ScalarRule(string text);

internal abstract record Schema
{
    internal sealed record Map(ImmutableArray<SchemaKey> Keys) : Schema;

    /// <summary>A map whose keys the author of the file chooses.</summary>
    internal sealed record Table(ScalarRule Key, ScalarRule Value, int Max) : Schema;

    internal sealed record List(Schema Item, int Min, int Max) : Schema;

    internal sealed record Scalar(ScalarRule Rule) : Schema;
}

/// <param name="Default">What holds when nobody sets the key, in the words of the file; null when there is nothing to show.</param>
internal sealed record SchemaKey(string Name, Schema Value, string? Default = null)
{
    /// <summary>False: the value is checked, and its presence is reported, because this version does not act on it yet.</summary>
    public bool InForce { get; init; } = true;

    /// <summary>A value that asks for nothing beyond what this version does anyway.</summary>
    public string? Neutral { get; init; }

    public bool Required { get; init; }
}
