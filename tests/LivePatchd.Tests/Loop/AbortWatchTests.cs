// The alarm of a transition that makes the machine wait: raised once, rung once, and of that transition alone.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class AbortWatchTests
{
    private readonly AbortWatch watch;
    private int rings;

    public AbortWatchTests() => watch = new AbortWatch(() => rings++);

    /// <summary>Ten readings a second.</summary>
    /// <param name="share">Of time in which all tasks waited for I/O.</param>
    private void Sample(double seconds, double share, double from = 0)
    {
        for (var i = 0; i <= seconds * 10; i++)
            watch.Sampled(Given.Sample(Given.At(from + (i / 10.0)), TimeSpan.FromSeconds((from + (i / 10.0)) * share)));
    }

    [Fact]
    public void Sampled_PressureStays_AlarmNamesPatchAndRingsOnce()
    {
        watch.Follow(Given.One, TransitionSettings.Default);
        Sample(seconds: 3, share: 0.8);
        Assert.Equal(Given.One, watch.Alarm!.Patch);
        Assert.Contains("80 %", watch.Alarm.Detail, StringComparison.Ordinal);
        Assert.Equal(1, rings);
    }

    [Fact]
    public void Sampled_PressureBelowMark_NoAlarm()
    {
        watch.Follow(Given.One, TransitionSettings.Default);
        Sample(seconds: 3, share: 0.3);
        Assert.Null(watch.Alarm);
        Assert.Equal(0, rings);
    }

    [Fact]
    public void Sampled_NoTransition_NotLookedAt()
    {
        Sample(seconds: 3, share: 1);
        // What was seen before it began does not count against it.
        watch.Follow(Given.One, TransitionSettings.Default);
        watch.Sampled(Given.Sample(Given.At(3.1), TimeSpan.FromSeconds(3.1)));
        Assert.Null(watch.Alarm);
    }

    [Fact]
    public void Follow_AnotherTransition_AlarmIsForgotten()
    {
        watch.Follow(Given.One, TransitionSettings.Default);
        Sample(seconds: 3, share: 1);
        watch.Follow(Given.One, TransitionSettings.Default);
        Assert.NotNull(watch.Alarm);
        watch.Follow(Given.Two, TransitionSettings.Default);
        Assert.Null(watch.Alarm);
        Sample(seconds: 3, share: 1, from: 3);
        Assert.Equal(Given.Two, watch.Alarm!.Patch);
        watch.Follow(null, TransitionSettings.Default);
        Assert.Null(watch.Alarm);
        Assert.Equal(2, rings);
    }

    [Fact]
    public void Follow_NewMark_CountsFromThenOn()
    {
        watch.Follow(Given.One, TransitionSettings.Default with { AbortIoFullRatio = 1 });
        Sample(seconds: 3, share: 0.9);
        Assert.Null(watch.Alarm);
        watch.Follow(Given.One, TransitionSettings.Default);
        Sample(seconds: 0, share: 0.9, from: 3.1);
        Assert.NotNull(watch.Alarm);
    }
}
