// Whether two ledgers say the same; their dictionaries compare by reference only.

namespace LivePatchd.Core.Recovery;

internal static class LedgerComparison
{
    public static bool SaysTheSame(this Ledger one, Ledger other) =>
        one.BootId == other.BootId
        && Same(one.Owned, other.Owned)
        && Same(one.Failures, other.Failures)
        && Same(one.RevertFailures, other.RevertFailures)
        && Same(one.Superseded, other.Superseded)
        && Same(one.DisabledByHand, other.DisabledByHand)
        && one.Reverted.SetEquals(other.Reverted)
        && Same(one.Quarantined, other.Quarantined)
        && one.Confirmed.SequenceEqual(other.Confirmed)
        && Same(one.Unconfirmed, other.Unconfirmed)
        && one.ConfirmAsked.SetEquals(other.ConfirmAsked)
        && Same(one.Deferred, other.Deferred)
        && Same(one.DeferredBefore, other.DeferredBefore)
        && Same(one.Overrides, other.Overrides)
        && Same(one.Drifts, other.Drifts)
        && Same(one.Deadlines, other.Deadlines)
        && one.AskedFor.SetEquals(other.AskedFor)
        && one.Forced.SetEquals(other.Forced)
        && Same(one.Downgrades, other.Downgrades)
        && one.Marks.Count == other.Marks.Count
        && one.Marks.All(m => other.Marks.TryGetValue(m.Key, out var state) && state.Sequence == m.Value.Sequence && Same(state.Builds, m.Value.Builds));

    private static bool Same<TKey, TValue>(IReadOnlyDictionary<TKey, TValue> one, IReadOnlyDictionary<TKey, TValue> other)
        where TKey : notnull =>
        ReferenceEquals(one, other)
        || (one.Count == other.Count && one.All(o => other.TryGetValue(o.Key, out var value) && EqualityComparer<TValue>.Default.Equals(value, o.Value)));
}
