// The daemon's only clock: time since boot, and the wall clock beside it.
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class MonotonicClockTests
{
    [Fact]
    public void Now_RealClock_IsTimeSinceBoot()
    {
        var clock = new MonotonicClock(TimeProvider.System);
        var before = TimeSpan.FromMilliseconds(Environment.TickCount64);
        var now = clock.Now();
        // Both are CLOCK_MONOTONIC, the one in milliseconds; another process reads the same.
        Assert.InRange(now.Monotonic, before - TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(Environment.TickCount64 + 20));
    }

    [Fact]
    public void Now_WallClockSetBack_MonotonicGoesOn()
    {
        var time = new EndToEnd.Tests.SkippingTime();
        var clock = new MonotonicClock(time);
        var before = clock.Now();
        time.SetWall(-TimeSpan.FromDays(1));
        time.Skip(TimeSpan.FromSeconds(1));
        var after = clock.Now();
        Assert.True(after.Since(before) >= TimeSpan.FromSeconds(1));
        Assert.True(after.Wall < before.Wall);
    }
}
