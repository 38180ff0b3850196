// Each step and each record has points of its own: a test that kills the daemon there must know where it was.
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

[Collection("faults")]
public sealed class StepPointsTests : IDisposable
{
    private readonly List<string> hits = [];
    private readonly Thread me = Thread.CurrentThread;

    public StepPointsTests() => Failpoint.Hit = name =>
    {
        if (Thread.CurrentThread == me)
            hits.Add(name);
    };

    public void Dispose() => Failpoint.Hit = null;

    public static TheoryData<string> Actions => ["load", "disable", "reverse", "unload"];

    private static PlanStep Step(string action) => action switch
    {
        "load" => new PlanStep.Load(Given.One, Given.Digest),
        "disable" => new PlanStep.Disable(Given.One, Reason.NewVersion),
        "reverse" => new PlanStep.Reverse(Given.One, Reason.TransitionStalled),
        _ => new PlanStep.Unload(Given.One, Reason.NewVersion),
    };

    [Theory]
    [MemberData(nameof(Actions))]
    public void BeforeAndAfter_StepThatChangesTheKernel_HitByItsName(string action)
    {
        StepPoints.Before(Step(action));
        StepPoints.After(Step(action));
        Assert.Equal([$"{action}.before", $"{action}.after"], hits);
    }

    [Fact]
    public void Before_AdoptOrAwait_HitsNothing()
    {
        StepPoints.Before(new PlanStep.Adopt(Given.One, Given.Digest));
        StepPoints.After(new PlanStep.Await(Given.One));
        Assert.Empty(hits);
    }

    [Fact]
    public void Recorded_EveryKind_HitsAtMostOneAndNoTwoTheSame()
    {
        foreach (var kind in Enum.GetValues<RecordKind>())
            StepPoints.Recorded(kind);
        Assert.Equal(hits.Distinct(), hits);
        Assert.All(hits, h => Assert.StartsWith("record.", h, StringComparison.Ordinal));
        // Those behind which a kill could lose a patch, or load one twice.
        Assert.Superset(new HashSet<string> { "record.load-intent", "record.loaded", "record.load-failed", "record.disable-intent", "record.gone", "record.quarantined" }, hits.ToHashSet());
    }
}
