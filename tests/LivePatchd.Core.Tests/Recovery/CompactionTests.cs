// What a rewritten journal still says: the same as the whole one.
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class CompactionTests
{
    private static readonly PatchName One = PatchName.Parse("lp_one");
    private static readonly PatchName Two = PatchName.Parse("lp_two");
    private static readonly Sha256 Digest = Sha256.TryParse(new string('1', 64))!.Value;

    private static JournalRecord Record(RecordKind kind, string boot, int second, PatchName name) =>
        new(kind, name, boot, new(TimeSpan.FromSeconds(second), DateTimeOffset.UnixEpoch.AddSeconds(second)), Digest);

    [Fact]
    public void Of_earlier_boots_a_wait_is_kept_that_nobody_ended()
    {
        var first = Record(RecordKind.Deferred, "a", 1, One);
        var again = Record(RecordKind.Deferred, "b", 2, One);
        var kept = Compaction.Keep(
            [first, Record(RecordKind.Deferred, "a", 3, Two), Record(RecordKind.LoadIntent, "a", 4, Two), again, Record(RecordKind.Undeferred, "b", 5, Two)], "c");
        Assert.Equal([again], kept);
        Assert.Equal(again.At.Wall, LedgerFold.Replay(kept, "c").DeferredBefore[One]);
        Assert.Empty(Compaction.Keep([again, Record(RecordKind.Adopted, "b", 6, One)], "c"));
    }

    [Fact]
    public void A_boot_of_very_many_changes_keeps_who_is_owned_and_who_waits()
    {
        var waits = Record(RecordKind.Deferred, "a", 1, One);
        var kept = Compaction.Keep(
            [waits, .. Enumerable.Range(2, 6000).Select(i => Record(i % 2 == 0 ? RecordKind.LoadIntent : RecordKind.Gone, "a", i, Two))], "a");
        Assert.Equal([waits], kept);
    }
}
