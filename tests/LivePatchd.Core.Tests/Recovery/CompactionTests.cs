// What a rewritten journal still says: the same as the whole one.
using System.Collections;
using System.Collections.Immutable;
using CsCheck;
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

    private static readonly HealthBaseline Calm = new(0, 0, 0, [], true, 1);

    /// <summary>Boots follow each other; in each of them anything may be said of two names and three files.</summary>
    private static readonly Gen<ImmutableArray<JournalRecord>> Histories = Gen.Select(
        Gen.Enum<RecordKind>(), Gen.Int[0, 2], Gen.Int[0, 1], Gen.Int[0, 3], Gen.Int[0, 31], Gen.Enum<Reason>(),
        (kind, boot, name, digest, flags, reason) => (Boot: boot, Record: new JournalRecord(
            kind, name is 0 ? One : Two, $"boot{boot}", default, digest is 3 ? null : Sha256.TryParse(new string((char)('1' + digest), 64)), Reason: reason)
        {
            OverrideGates = (flags & 1) != 0,
            MustConfirm = (flags & 2) != 0,
            Downgrade = (flags & 4) != 0,
            Deadline = (flags & 8) != 0 ? DateTimeOffset.UnixEpoch.AddHours(flags) : null,
            Baseline = (flags & 16) != 0 ? Calm : null,
            Mark = kind is RecordKind.MarkRaised or RecordKind.OperatorApplied ? new StreamMark(new StreamId("6.12.0", "core", "key"), flags % 4) : null,
        })).Array[0, 60].Select(all => all.OrderBy(r => r.Boot)
            .Select((r, i) => r.Record with { At = new(TimeSpan.FromSeconds(i), DateTimeOffset.UnixEpoch.AddSeconds(i)) }).ToImmutableArray());

    /// <summary>Every property of it, also one that is added later.</summary>
    private static string Text(Ledger ledger) => string.Join('\n', typeof(Ledger).GetProperties().Select(p => $"{p.Name}: {Text(p.GetValue(ledger))}"));

    private static string Text(object? value) => value switch
    {
        StreamState state => $"{state.Sequence} {Text(state.Builds)}",
        string or null => $"{value}",
        ImmutableArray<Sha256> inOrder => string.Join(' ', inOrder),
        IDictionary pairs => string.Join(' ', pairs.Keys.Cast<object>().Select(k => $"{k}={Text(pairs[k])}").Order(StringComparer.Ordinal)),
        IEnumerable set => string.Join(' ', set.Cast<object>().Select(e => $"{e}").Order(StringComparer.Ordinal)),
        _ => $"{value}",
    };

    [Fact]
    public void The_ledger_and_the_crash_guard_are_the_same_and_go_on_the_same() => Gen.Select(Histories, Histories, Gen.Bool).Sample(
        (before, after, clean) =>
        {
            var kept = Compaction.Keep(before, "boot2");
            var (whole, compact) = (LedgerFold.Replay(before, "boot2"), LedgerFold.Replay(kept, "boot2"));
            Assert.Equal(Text(whole), Text(compact));
            Assert.True(whole.SaysTheSame(compact));
            IReadOnlySet<string> shut = clean ? new HashSet<string> { "boot2" } : new HashSet<string>();
            ImmutableArray<JournalRecord> more = [.. after.Where(r => r.BootId == "boot2")];
            foreach (var boot in new[] { "boot2", "boot3" })
            {
                Assert.Equal(Text(LedgerFold.Replay([.. before, .. more], boot)), Text(LedgerFold.Replay([.. kept, .. more], boot)));
                Assert.Equal(CrashGuard.Learn([.. before, .. more], boot, shut, default), CrashGuard.Learn([.. kept, .. more], boot, shut, default));
            }
        }, iter: Cases.Of(20_000));

    [Fact]
    public void Ledgers_that_differ_are_told_apart() => Gen.Select(Histories, Histories).Sample(
        (one, other) =>
        {
            var (left, right) = (LedgerFold.Replay(one, "boot2"), LedgerFold.Replay(other[..Math.Min(other.Length, 3)], "boot2"));
            Assert.Equal(Text(left) == Text(right), left.SaysTheSame(right));
        }, iter: Cases.Of(5_000));

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a", "b")]
    public void What_is_asked_for_again_and_again_does_not_fill_the_journal(string asked, string boot)
    {
        JournalRecord R(RecordKind kind, int i) => Record(kind, asked, i, One);
        JournalRecord[][] rounds =
        [
            [R(RecordKind.OperatorApplied, 0)],
            [R(RecordKind.OperatorReverted, 0), R(RecordKind.OperatorApplied, 1)],
            [R(RecordKind.OperatorApplied, 0), R(RecordKind.OperatorReverted, 1)],
            [R(RecordKind.Quarantined, 0), R(RecordKind.Released, 1)],
            [R(RecordKind.Unconfirmed, 0), R(RecordKind.OperatorApplied, 1) with { MustConfirm = true, OverrideGates = true, Deadline = DateTimeOffset.UnixEpoch }],
            [R(RecordKind.Superseded, 0), R(RecordKind.OperatorApplied, 1) with { Downgrade = true }, Record(RecordKind.OperatorApplied, asked, 2, Two)],
        ];
        foreach (var round in rounds)
        {
            // Also with the patch in the kernel.
            foreach (var start in new JournalRecord[][] { [], [R(RecordKind.LoadIntent, 0) with { Baseline = Calm }, R(RecordKind.Activated, 0)] })
            {
                ImmutableArray<JournalRecord> records =
                    [.. start, .. Enumerable.Range(1, 2000).SelectMany(i => round.Select((r, j) => r with { At = Record(r.Kind, asked, (10 * i) + j, One).At }))];
                var kept = Compaction.Keep(records, boot);
                Assert.InRange(kept.Length, 0, start.Length + 4);
                Assert.Equal(Text(LedgerFold.Replay(records, boot)), Text(LedgerFold.Replay(kept, boot)));
            }
        }
    }
}
