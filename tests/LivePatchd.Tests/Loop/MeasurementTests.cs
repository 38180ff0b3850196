// One operation while it is measured: which samples are its own, which come after it, and when it has enough.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class MeasurementTests
{
    private static Measurement Begun() => new(Given.One, Given.Digest, Operation.Apply, ImpactPhase.Load, Given.At(0), []);

    private static bool Take(Measurement of, double seconds) => of.Take(Given.Sample(Given.At(seconds), TimeSpan.FromSeconds(seconds)), edge: false);

    [Fact]
    public void Report_TwoPhases_EachWithItsTime()
    {
        var measured = Begun();
        Take(measured, 0);
        measured.Next(ImpactPhase.Transition, Given.At(1));
        Assert.Equal(ImpactPhase.Transition, measured.Phase);
        Take(measured, 1);
        measured.End(OperationResult.Done, Given.At(3));
        Take(measured, 3);
        var entry = measured.Report();
        Assert.Equal((Given.At(0).Wall, Given.One, Operation.Apply, OperationResult.Done), (entry.Time, entry.Patch, entry.Operation, entry.Result));
        Assert.Equal(Given.Digest, entry.Digest);
        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)), (entry.Load, entry.Transition));
        Assert.Equal(TimeSpan.FromSeconds(3), entry.Impact.During!.Duration);
    }

    [Fact]
    public void Take_AfterTheEnd_UntilTheTailIsLongEnough()
    {
        var measured = Begun();
        Assert.False(Take(measured, 0));
        measured.End(OperationResult.Done, Given.At(1));
        Assert.False(Take(measured, 1));
        Assert.False(Take(measured, 5.9));
        Assert.True(Take(measured, 6));
        var impact = measured.Report().Impact;
        Assert.Equal(TimeSpan.FromSeconds(5), impact.After!.Duration);
        // The first behind the end closes the operation too, so that nothing is between the two.
        Assert.Equal(TimeSpan.FromSeconds(1), impact.During!.Duration);
    }

    [Fact]
    public void Take_OneSampleLongAfterTheEnd_IsNotEnough()
    {
        var measured = Begun();
        measured.End(OperationResult.Failed, Given.At(1));
        Assert.False(Take(measured, 20));
        Assert.True(Take(measured, 20.1));
    }

    [Fact]
    public void Report_NoSamples_FiguresUnknown()
    {
        var measured = Begun();
        measured.End(OperationResult.Failed, Given.At(1));
        var impact = measured.Report().Impact;
        Assert.Null(impact.During);
        Assert.Null(impact.After);
        Assert.Equal(TimeSpan.FromSeconds(1), Assert.Single(impact.Phases).Duration);
    }

    [Fact]
    public void Report_Cause_Told()
    {
        var measured = Begun();
        measured.Cause = (Reason.TransitionStalled, "cat (1) in vfs_read", null);
        measured.End(OperationResult.Reversed, Given.At(1));
        var entry = measured.Report();
        Assert.Equal((Reason.TransitionStalled, "cat (1) in vfs_read"), (entry.Why, entry.Detail));
    }
}
