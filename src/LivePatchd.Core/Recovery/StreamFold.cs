// Folds what concerns streams: marks only ever rise, and a step forward ends what an operator let in before it.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Recovery;

internal static class StreamFold
{
    public static Ledger Raise(Ledger ledger, JournalRecord r)
    {
        if (r.Mark is not { } mark || r.Identity is not { } patch)
            return ledger;
        var before = ledger.Marks.GetValueOrDefault(mark.Id);
        if (before?.Sequence > mark.Sequence)
            return ledger;
        var builds = before?.Sequence == mark.Sequence ? before.Builds : ImmutableDictionary<PatchName, Sha256>.Empty;
        return ledger with
        {
            Marks = ledger.Marks.SetItem(mark.Id, new StreamState(mark.Sequence, builds.SetItem(r.Name, patch.Key))),
            Downgrades = ledger.Downgrades.RemoveRange(ledger.Downgrades.Where(d => IsEnded(d.Value, r.Name, mark)).Select(d => d.Key)),
        };
    }

    public static Ledger Downgrade(Ledger ledger, JournalRecord r) => r is { Downgrade: true, Identity: { } patch }
        ? ledger with { Downgrades = ledger.Downgrades.With(patch, new DowngradeMark(r.Name, r.Mark)) }
        : ledger;

    /// <summary>Whether the record still says something that a later one does not.</summary>
    public static bool IsCurrent(JournalRecord r, Ledger ledger) =>
        r.Kind is not RecordKind.MarkRaised || r.Mark is { } mark && ledger.Marks.TryGetValue(mark.Id, out var state) && state.Sequence == mark.Sequence;

    // Whoever signed: a new key carries the line on.
    private static bool IsEnded(DowngradeMark let, PatchName name, StreamMark raised) => let.Mark is { } mark
        ? mark.Id.Release == raised.Id.Release && mark.Id.Stream == raised.Id.Stream && mark.Sequence < raised.Sequence
        : let.Name == name;
}
