// Streams, records and marks at their edges: what is incomplete says nothing, and what is unknown is read as far as it is known.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class StreamFoldEdgeTests
{
    private static readonly PatchName One = PatchName.Parse("lp_one");
    private static readonly PatchName Two = PatchName.Parse("lp_two");
    private static readonly Sha256 Digest = Sha256.TryParse(new string('1', 64))!.Value;
    private static readonly Sha256 Other = Sha256.TryParse(new string('2', 64))!.Value;
    private static readonly StreamId Core = new("6.12.0", "core", "key1");

    private static JournalRecord Raised(int sequence, StreamId? id = null, PatchName? name = null, Sha256? digest = null) =>
        new(RecordKind.MarkRaised, name ?? One, "boot", new Instant(TimeSpan.FromSeconds(1), DateTimeOffset.UnixEpoch), digest ?? Digest) { Mark = new StreamMark(id ?? Core, sequence) };

    private static Ledger LetIn(StreamMark? mark) => StreamFold.Downgrade(
        Ledger.Empty("boot"), Raised(0, digest: Other) with { Kind = RecordKind.OperatorApplied, Downgrade = true, Mark = mark });

    [Fact]
    public void A_mark_rises_and_never_falls()
    {
        var ledger = StreamFold.Raise(Ledger.Empty("boot"), Raised(5));
        Assert.Same(ledger, StreamFold.Raise(ledger, Raised(4)));
        Assert.Same(ledger, StreamFold.Raise(ledger, Raised(6) with { Mark = null }));
        Assert.Same(ledger, StreamFold.Raise(ledger, Raised(6) with { Digest = null }));
        var beside = StreamFold.Raise(ledger, Raised(5, name: Two, digest: Other)).Marks[Core];
        Assert.Equal((5, Digest, Other), (beside.Sequence, beside.Builds[One], beside.Builds[Two]));
        var next = StreamFold.Raise(ledger, Raised(6, name: Two, digest: Other)).Marks[Core];
        Assert.Equal((6, Two), (next.Sequence, Assert.Single(next.Builds).Key));
    }

    [Fact]
    public void What_was_let_in_ends_with_the_next_step_of_its_own_stream()
    {
        static bool Ends(StreamMark? let, JournalRecord raised) => StreamFold.Raise(LetIn(let), raised).Downgrades.IsEmpty;

        Assert.True(Ends(new StreamMark(Core, 3), Raised(4)));
        Assert.True(Ends(new StreamMark(Core, 3), Raised(4, Core with { Key = "key2" })));
        Assert.False(Ends(new StreamMark(Core, 3), Raised(3)));
        Assert.False(Ends(new StreamMark(Core, 3), Raised(4, Core with { Release = "6.13.0" })));
        Assert.False(Ends(new StreamMark(Core, 3), Raised(4, Core with { Stream = "net" })));
        Assert.True(Ends(null, Raised(4)));
        Assert.False(Ends(null, Raised(4, name: Two)));
    }

    [Fact]
    public void Only_an_operator_who_says_so_lets_bytes_in()
    {
        var asked = Raised(1) with { Kind = RecordKind.OperatorApplied, Downgrade = true };
        Assert.Equal(new DowngradeMark(One, asked.Mark), StreamFold.Downgrade(Ledger.Empty("boot"), asked).Downgrades[Digest]);
        Assert.Empty(StreamFold.Downgrade(Ledger.Empty("boot"), asked with { Downgrade = false }).Downgrades);
        Assert.Empty(StreamFold.Downgrade(Ledger.Empty("boot"), asked with { Digest = null }).Downgrades);
    }

    [Fact]
    public void A_record_below_the_mark_says_nothing_any_more()
    {
        var ledger = StreamFold.Raise(Ledger.Empty("boot"), Raised(5));
        Assert.True(StreamFold.IsCurrent(Raised(5), ledger));
        Assert.False(StreamFold.IsCurrent(Raised(4), ledger));
        Assert.False(StreamFold.IsCurrent(Raised(5, Core with { Stream = "net" }), ledger));
        Assert.False(StreamFold.IsCurrent(Raised(5) with { Mark = null }, ledger));
        Assert.True(StreamFold.IsCurrent(Raised(4) with { Kind = RecordKind.Gone }, ledger));
    }

    [Fact]
    public void Deadline_and_place_in_the_stream_are_read_back()
    {
        var written = Raised(7) with { Deadline = DateTimeOffset.UnixEpoch.AddSeconds(90), Downgrade = true };
        Assert.Equal(written, Read(Encoding.UTF8.GetString(JournalCodec.Encode(written)[9..^1])));
    }

    [Theory]
    [InlineData("", null)]
    [InlineData(""","reason":"name-in-use" """, Reason.NameInUse)]
    [InlineData(""","reason":"a-reason-of-tomorrow" """, null)]
    [InlineData(""","reason":7""", null)]
    public void A_reason_that_this_version_does_not_know_is_none(string more, Reason? expected) =>
        Assert.Equal((RecordKind.Gone, expected), (Read(Gone(more))!.Kind, Read(Gone(more))!.Reason));

    [Fact]
    public void A_stream_needs_its_number_and_nothing_else()
    {
        Assert.Null(Read(Gone(""","stream":"core" """)));
        Assert.Equal(new StreamMark(new StreamId("", "core", ""), 3), Read(Gone(""","stream":"core","sequence":3"""))!.Mark);
        Assert.Equal(new StreamMark(Core, 3), Read(Gone(""","stream":"core","release":"6.12.0","key":"key1","sequence":3"""))!.Mark);
        Assert.Null(Read(Gone(""","sequence":3"""))!.Mark);
    }

    [Theory]
    [InlineData("null", false)]
    [InlineData("\"\"", false)]
    [InlineData("7", false)]
    [InlineData("\"b\"", true)]
    public void A_mark_of_a_host_needs_its_boot(string boot, bool read) =>
        Assert.Equal(read, HostMark.Decode(Framed.Wrap(Encoding.UTF8.GetBytes($$"""{"boot":{{boot}},"shut_down":true,"runs":[]}"""))) is { BootId: "b", ShutDown: true });

    private static string Gone(string more) => $$"""{"kind":"Gone","name":"lp_one","boot":"b","mono_us":1,"wall_us":1{{more}}}""";

    private static JournalRecord? Read(string json) => JournalJson.Read(Encoding.UTF8.GetBytes(json), out _);
}
