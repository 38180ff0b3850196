// Single figures of the impact: known only where both samples have them, and an entry's reason only where it is one.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using static LivePatchd.Core.Tests.Policy.Impact.Samples;

namespace LivePatchd.Core.Tests.Policy.Impact;

public sealed class DeltaTests
{
    [Fact]
    public void A_source_that_only_one_sample_has_tells_nothing()
    {
        foreach (var delta in new[] { PressureDelta.Between(Sample(0), Unknown(1))!, PressureDelta.Between(Unknown(0), Sample(1))! })
            Assert.Equal(new PressureDelta(TimeSpan.FromSeconds(1), null, null, null, null, null, null, null, null, null, null), delta);
    }

    [Fact]
    public void No_time_has_passed_between_a_sample_and_itself_or_an_earlier_one()
    {
        Assert.Null(PressureDelta.Between(Sample(1), Sample(1)));
        Assert.Null(PressureDelta.Between(Sample(1), Sample(0)));
    }

    [Fact]
    public void Without_a_line_for_all_tasks_the_other_line_still_counts()
    {
        var (first, second) = (Sample(0, io: 1, memory: 1), Sample(1, io: 1.5, memory: 1.25));
        var delta = PressureDelta.Between(first with { Io = first.Io!.Value with { Full = null }, Memory = first.Memory!.Value with { Full = null } }, second)!;
        Assert.Equal((TimeSpan.FromSeconds(0.5), null), (delta.IoStall, delta.IoFullStall));
        Assert.Equal((TimeSpan.FromSeconds(0.25), null), (delta.MemoryStall, delta.MemoryFullStall));
        delta = PressureDelta.Between(first, second with { Io = second.Io!.Value with { Full = null } })!;
        Assert.Equal((TimeSpan.FromSeconds(0.5), null), (delta.IoStall, delta.IoFullStall));
    }

    [Fact]
    public void Counters_grow_stand_still_or_began_anew()
    {
        var delta = PressureDelta.Between(Sample(0, sent: 100, again: 7, squeezes: 9), Sample(2, sent: 150, again: 7, squeezes: 8))!;
        Assert.Equal((50UL, 0UL, null), (delta.OutSegments, delta.RetransmittedSegments, delta.SoftirqSqueezes));
        Assert.Equal((25.0, null, 0.0), (delta.PerSecond(delta.OutSegments), delta.PerSecond(delta.SoftirqSqueezes), delta.RetransmitRatio));
        Assert.Null((delta with { OutSegments = null }).RetransmitRatio);
        Assert.Null((delta with { RetransmittedSegments = null }).RetransmitRatio);
    }

    [Theory]
    [InlineData("", null, null)]
    [InlineData("\"reason\":null,\"detail\":null,", null, null)]
    [InlineData("\"reason\":\"io-pressure\",\"detail\":\"full 9 %\",", Reason.IoPressure, "full 9 %")]
    [InlineData("\"reason\":\"of-a-newer-version\",\"detail\":\"x\",", null, "x")]
    public void A_reason_is_read_back_where_it_is_one(string part, Reason? why, string? detail)
    {
        var entry = Assert.Single(Read("\"lp_a\"", part)!.Value);
        Assert.Equal((why, detail), (entry.Why, entry.Detail));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("7")]
    public void A_name_that_is_none_makes_it_no_history(string name) => Assert.Null(Read(name, ""));

    private static System.Collections.Immutable.ImmutableArray<HistoryEntry>? Read(string name, string part) => ImpactJson.ReadHistory(Encoding.UTF8.GetBytes(
        "{\"schema\":1,\"entries\":[{\"time\":\"2026-01-01T00:00:00Z\",\"patch\":" + name + ",\"sha256\":null,\"operation\":\"apply\",\"result\":\"done\"," + part
        + "\"impact\":{\"before\":null,\"during\":null,\"after\":null,\"phases\":[],\"longest_stall_seconds\":null,"
        + "\"io_stall_ratio\":{\"before\":[],\"during\":[],\"after\":[]}}}]}"));
}
