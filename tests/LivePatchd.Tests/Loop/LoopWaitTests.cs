// Where the loop sleeps: until its time, or until a descriptor has something to say, and what follows from which.
using LivePatchd.Core.Model;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class LoopWaitTests : IDisposable
{
    private static readonly TimeSpan Ages = EndToEnd.Tests.Limit.Long;

    private readonly LoopBench loop = new();
    private readonly MonotonicClock clock = new(TimeProvider.System);
    private readonly LoopParts parts;
    private readonly LoopWait wait;

    public LoopWaitTests()
    {
        parts = loop.Parts(TimeProvider.System);
        wait = new LoopWait(parts, clock);
    }

    public void Dispose()
    {
        parts.Dispose();
        loop.Dispose();
    }

    /// <summary>True when it slept until its time.</summary>
    private bool Sleeps(Instant until)
    {
        wait.Until(until);
        return !clock.Now().IsBefore(until);
    }

    [Fact]
    public void Until_MomentThatIsOver_DoesNotWait() => wait.Until(clock.Now().After(-Ages));

    [Fact]
    public void Until_NothingHappens_ItsTime() => Assert.True(Sleeps(clock.Now().After(TimeSpan.FromMilliseconds(20))));

    [Fact]
    public void Until_Woken_AtOnceAndOnlyOnce()
    {
        parts.Wake.Signal();
        parts.Wake.Signal();
        Assert.False(Sleeps(clock.Now().After(Ages)));
        Assert.True(Sleeps(clock.Now().After(TimeSpan.FromMilliseconds(20))));
    }

    [Fact]
    public void Until_FileIsDropped_AtOnce()
    {
        Assert.True(parts.Watcher.Sync([LoopBench.PatchDirectory]).IsOk);
        loop.Drop(new EndToEnd.Tests.Patch("lp_one"));
        Assert.False(Sleeps(clock.Now().After(Ages)));
        Assert.True(parts.Watcher.Drain());
    }

    [Fact]
    public void Until_InhibitorIsLetGo_GatesAreAskedAtOnce()
    {
        parts.Gates.Ask(clock.Now(), Core.Config.GateSettings.Default, DesiredState.Empty);
        Assert.False(parts.Gates.IsDue(clock.Now()));
        var token = parts.Gates.Inhibitors.Add(new InhibitorLock("backup", "nightly", 0, ":1.1", clock.Now()));
        Assert.True(Sleeps(clock.Now().After(TimeSpan.FromMilliseconds(20))));
        Assert.False(parts.Gates.IsDue(clock.Now()));
        token.Value!.Dispose();
        Assert.False(Sleeps(clock.Now().After(Ages)));
        Assert.True(parts.Gates.IsDue(clock.Now()));
    }

    [Fact]
    public void Earliest_SomeUnknown_TheFirstOfTheOthers()
    {
        Assert.Null(LoopWait.Earliest());
        Assert.Null(LoopWait.Earliest(null, null));
        Assert.Equal(Given.At(1), LoopWait.Earliest(Given.At(3), null, Given.At(1), Given.At(2)));
    }
}
