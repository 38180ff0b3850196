// A damaged journal: whichever record is lost, the others go on protecting the host, and nothing is trusted for what was lost.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class SalvageTests
{
    private static readonly PatchName One = PatchName.Parse("lp_one");
    private static readonly HealthBaseline Calm = new(0, 0, 0, [], true, 1);
    private static readonly StreamMark Mark = new(new StreamId("6.12.0", "core", "key"), 3);

    private static Sha256 Digest(char digit) => Sha256.TryParse(new string(digit, 64))!.Value;

    private static JournalRecord R(RecordKind kind, string name, char digit, string boot = "old") => new(kind, PatchName.Parse(name), boot, default, Digest(digit))
    {
        Baseline = kind is RecordKind.LoadIntent ? Calm : null,
        Mark = kind is RecordKind.MarkRaised ? Mark : null,
    };

    private static readonly JournalRecord[] Protecting =
    [
        R(RecordKind.Quarantined, "lp_one", '1'),
        R(RecordKind.OperatorReverted, "lp_two", '2'),
        R(RecordKind.Unconfirmed, "lp_three", '3'),
        R(RecordKind.MarkRaised, "lp_four", '4'),
        R(RecordKind.Superseded, "lp_five", '5'),
        R(RecordKind.LoadIntent, "lp_six", '6'),
        R(RecordKind.LoadIntent, "lp_seven", '7', "new"),
    ];

    /// <summary>The journal with one byte of this record changed; none for -1.</summary>
    private static byte[] Damaged(IEnumerable<JournalRecord> records, int which) =>
        [.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine), .. records.SelectMany((r, i) =>
        {
            var line = JournalCodec.Encode(r);
            line[12] ^= i == which ? (byte)1 : (byte)0;
            return line;
        })];

    [Fact]
    public void Whichever_record_is_lost_the_others_protect_as_before()
    {
        for (var lost = 0; lost < Protecting.Length - 1; lost++)
        {
            var bytes = Damaged(Protecting, lost);
            Assert.NotNull(JournalCodec.Decode(bytes).Damage);
            var left = Salvage.Of(bytes, "new");
            Assert.Equal(Protecting.Where((_, i) => i != lost), left);
            Assert.Equal(lost is 5 ? [] : [Digest('6')], CrashGuard.Learn(left, "new", new HashSet<string>(), default).Select(l => l.Digest!.Value));
            var ledger = LedgerFold.Replay(left, "new");
            Assert.Equal(lost is not 0, ledger.Quarantined.ContainsKey(Digest('1')));
            Assert.Equal(lost is not 1, ledger.Reverted.Count == 1);
            Assert.Equal(lost is not 2, ledger.Unconfirmed.Count == 1);
            Assert.Equal(lost is not 3, ledger.Marks.Count == 1);
            Assert.Contains(PatchName.Parse("lp_seven"), ledger.Owned.Keys);
        }
    }

    [Fact]
    public void What_was_taken_back_or_has_ended_is_not_brought_back() => Assert.Equal(
        [R(RecordKind.OperatorReverted, "lp_two", '2')],
        Salvage.Of(Damaged(
        [
            R(RecordKind.Quarantined, "lp_one", '1'), R(RecordKind.OperatorReverted, "lp_two", '2'), R(RecordKind.LoadIntent, "lp_six", '6'), R(RecordKind.Forced, "lp_six", '6'),
            R(RecordKind.Released, "lp_one", '1'), R(RecordKind.Gone, "lp_six", '6'),
        ], 3), "new"));

    [Fact]
    public void Neither_trust_nor_an_exception_outlives_the_damage()
    {
        var let = R(RecordKind.OperatorApplied, "lp_one", '1') with { Downgrade = true };
        var left = Salvage.Of(Damaged([R(RecordKind.Confirmed, "lp_one", '1'), let, R(RecordKind.Quarantined, "lp_one", '1'), R(RecordKind.Loaded, "lp_two", '2')], 2), "new");
        Assert.Equal(ImmutableArray.Create(let with { Downgrade = false }), left);
        Assert.Empty(LedgerFold.Replay(left, "new").Confirmed);
        Assert.Empty(LedgerFold.Replay(left, "new").Downgrades);
    }

    [Fact]
    public void A_journal_of_another_version_is_no_reason_to_believe_nothing()
    {
        var bytes = Damaged(Protecting[..1], -1);
        bytes[JournalCodec.VersionLine.Length - 2] = (byte)'2';
        Assert.Equal(One, Assert.Single(Salvage.Of(bytes, "new")).Name);
        Assert.Empty(Salvage.Of("something else"u8, "new"));
    }
}
