// The small tree that configuration and manifest files are read into, before anything is known about their keys.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

/// <summary>Where a node was written. Line is 1-based; 0 when the whole file is meant.</summary>
public readonly record struct ConfigPlace(string File, int Line);

/// <summary>A node keeps its place through merging, so that every effective value can say where it came from.</summary>
public abstract record ConfigNode(ConfigPlace Place)
{
    /// <summary>What a person calls this kind of node in an error message.</summary>
    public abstract string Kind { get; }
}

/// <param name="Plain">Written without quotes: only then can it be null.</param>
public sealed record ScalarNode(ConfigPlace Place, string Text, bool Plain) : ConfigNode(Place)
{
    public override string Kind => IsNull ? "nothing" : "a single value";

    public bool IsNull => Plain && Text is ("" or "~" or "null" or "Null" or "NULL");
}

public sealed record ListNode(ConfigPlace Place, ImmutableArray<ConfigNode> Items) : ConfigNode(Place)
{
    public override string Kind => "a list";
}

public sealed record MapEntry(string Key, ConfigPlace Place, ConfigNode Value);

/// <param name="Entries">In the order of the file; keys are unique.</param>
public sealed record MapNode(ConfigPlace Place, ImmutableArray<MapEntry> Entries) : ConfigNode(Place)
{
    public override string Kind => "a map of keys";

    public MapEntry? Find(string key)
    {
        foreach (var entry in Entries)
        {
            if (entry.Key == key)
                return entry;
        }
        return null;
    }
}

/// <summary>A node that could not be read; its error is already reported, so nothing more is said about it.</summary>
public sealed record BrokenNode(ConfigPlace Place) : ConfigNode(Place)
{
    public override string Kind => "an unreadable value";
}
