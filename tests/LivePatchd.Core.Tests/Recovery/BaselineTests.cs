// The baseline in a journal record: bounded, equal by content, and read from whatever stands there.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class BaselineTests
{
    private static readonly HealthBaseline Full = new(1, 2, 3, ["a.service", "b.service"], true, 4);

    private static HealthBaseline? Read(string baseline)
    {
        var json = $$"""{"kind":"LoadIntent","name":"lp_one","boot":"b","mono_us":1,"wall_us":1,"baseline":{{baseline}}}""";
        return JournalJson.Read(Encoding.UTF8.GetBytes(json), out _)!.Baseline;
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    public void What_is_no_baseline_is_none(string json) => Assert.Null(Read(json));

    [Fact]
    public void What_is_not_known_is_left_out()
    {
        Assert.Equal(new HealthBaseline(null, null, 0, null, null, null), Read("{}"));
        Assert.Equal(new HealthBaseline(null, null, 0, null, null, null), Read("""{"oops":"x","warn":-1,"taint":1.5,"failed_units":7,"pressure_open":0,"log":[]}"""));
        Assert.Equal(new HealthBaseline(5, null, 0, ["a"], false, null), Read("""{"oops":5,"failed_units":["a",7],"pressure_open":false}"""));
    }

    [Fact]
    public void Equal_is_what_has_the_same_content()
    {
        Assert.Equal(Full, Full with { FailedUnits = ["a.service", "b.service"] });
        Assert.Equal(Full.GetHashCode(), (Full with { FailedUnits = ["a.service", "b.service"] }).GetHashCode());
        HealthBaseline?[] others = [null, Full with { OopsCount = 9 }, Full with { FailedUnits = null }, Full with { FailedUnits = ["a.service"] }, Full with { PressureOpen = null }];
        Assert.All(others, o => Assert.NotEqual(Full, o));
        Assert.Equal(Full with { FailedUnits = null }, Full with { FailedUnits = null });
        Assert.Equal((Full with { FailedUnits = null }).GetHashCode(), (Full with { FailedUnits = null }).GetHashCode());
    }

    [Fact]
    public void The_list_of_units_is_sorted_and_bounded()
    {
        Assert.Equal(["a", "b"], (Full with { FailedUnits = ["b", "a", "b"] }).Bounded().FailedUnits!.Value);
        Assert.Null((Full with { FailedUnits = [.. Enumerable.Range(0, 65).Select(i => $"u{i}")] }).Bounded().FailedUnits);
        Assert.Null((Full with { FailedUnits = [new string('x', 256)] }).Bounded().FailedUnits);
        Assert.Null((Full with { FailedUnits = null }).Bounded().FailedUnits);
    }
}
