// What of a damaged journal is carried over: the marks that keep something out of the kernel, and who is on probation.
using System.Collections.Immutable;

namespace LivePatchd.Core.Recovery;

public static class Salvage
{
    /// <summary>
    /// Every whole line counts, also behind the damage. Trust and exceptions are not carried over, for a lost line may have ended them: a
    /// patch that is put on probation once more costs less than one that is loaded again after it brought a host down.
    /// </summary>
    public static ImmutableArray<JournalRecord> Of(ReadOnlySpan<byte> bytes, string bootId)
    {
        var left = JournalTail.Read(bytes, whole: true, int.MaxValue).Records;
        var open = CrashGuard.OpenIntents(left).ToHashSet(ReferenceEqualityComparer.Instance);
        return
        [
            .. Compaction.Keep(left, bootId)
                .Where(r => open.Contains(r) || (Compaction.Outlives(r.Kind) && r.Kind is not RecordKind.Confirmed))
                .Select(r => r.Downgrade ? r with { Downgrade = false } : r),
        ];
    }
}
