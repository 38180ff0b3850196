// The newest records from the end of a journal, whatever its state.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class JournalTailTests
{
    private static readonly byte[] Journal =
    [
        .. Encoding.ASCII.GetBytes(JournalCodec.VersionLine),
        .. Enumerable.Range(0, 10).SelectMany(i => JournalCodec.Encode(new JournalRecord(RecordKind.Loaded, PatchName.Parse($"lp_{i}"), "boot", default))),
    ];

    private static IEnumerable<string> Names(JournalTail tail) => tail.Records.Select(r => r.Name.Value);

    [Fact]
    public void The_newest_so_many_in_order()
    {
        Assert.Equal(["lp_7", "lp_8", "lp_9"], Names(JournalTail.Read(Journal, whole: true, 3)));
        Assert.Equal(10, JournalTail.Read(Journal, whole: true, 100).Records.Length);
        Assert.Equal(0, JournalTail.Read(Journal, whole: true, 100).Unreadable);
        Assert.Empty(JournalTail.Read([], whole: true, 3).Records);
    }

    [Fact]
    public void An_end_that_begins_in_the_middle_of_a_line_leaves_that_line_out()
    {
        for (var from = 0; from <= Journal.Length; from++)
        {
            var tail = JournalTail.Read(Journal.AsSpan(from), whole: false, 100);
            Assert.Equal(0, tail.Unreadable);
            Assert.Equal(Enumerable.Range(0, 10).Select(i => $"lp_{i}").TakeLast(tail.Records.Length), Names(tail));
        }
    }

    [Fact]
    public void What_is_torn_or_damaged_is_counted_and_the_rest_is_read()
    {
        var damaged = Journal.ToArray();
        damaged[JournalCodec.VersionLine.Length + 3] ^= 1;
        var tail = JournalTail.Read([.. damaged, .. "0123"u8], whole: true, 100);
        Assert.Equal((9, 2), (tail.Records.Length, tail.Unreadable));
        Assert.Equal(1, JournalTail.Read("something else"u8, whole: true, 100).Unreadable);
    }
}
