// The words by which the state log calls its records: a contract with every version that wrote one or will read one.
using System.Collections.Frozen;
using System.Collections.Immutable;

namespace LivePatchd.Core.Recovery;

/// <summary>A word never changes and is never used again for something else. The kinds of the code can be renamed, these cannot.</summary>
public static class RecordWords
{
    public static ImmutableArray<(RecordKind Kind, string Word)> All { get; } =
    [
        (RecordKind.LoadIntent, "LoadIntent"),
        (RecordKind.Loaded, "Loaded"),
        (RecordKind.LoadFailed, "LoadFailed"),
        (RecordKind.Abandoned, "Abandoned"),
        (RecordKind.Adopted, "Adopted"),
        (RecordKind.Filed, "Filed"),
        (RecordKind.Activated, "Activated"),
        (RecordKind.DisableIntent, "DisableIntent"),
        (RecordKind.Reenabled, "Reenabled"),
        (RecordKind.Deferred, "Deferred"),
        (RecordKind.Undeferred, "Undeferred"),
        (RecordKind.Forced, "Forced"),
        (RecordKind.RevertFailed, "RevertFailed"),
        (RecordKind.Superseded, "Superseded"),
        (RecordKind.DisabledByHand, "DisabledByHand"),
        (RecordKind.Gone, "Gone"),
        (RecordKind.OperatorReverted, "OperatorReverted"),
        (RecordKind.OperatorApplied, "OperatorApplied"),
        (RecordKind.Quarantined, "Quarantined"),
        (RecordKind.Released, "Released"),
        (RecordKind.Coincided, "Coincided"),
        (RecordKind.Confirmed, "Confirmed"),
        (RecordKind.Unconfirmed, "Unconfirmed"),
        (RecordKind.MarkRaised, "MarkRaised"),
    ];

    private static readonly FrozenDictionary<RecordKind, string> Words = All.ToFrozenDictionary(static e => e.Kind, static e => e.Word);
    private static readonly FrozenDictionary<string, RecordKind> Kinds = All.ToFrozenDictionary(static e => e.Word, static e => e.Kind, StringComparer.Ordinal);

    public static string Word(this RecordKind kind) => Words[kind];

    /// <summary>Null when this version does not know the word.</summary>
    public static RecordKind? Parse(string word) => Kinds.TryGetValue(word, out var kind) ? kind : null;
}
