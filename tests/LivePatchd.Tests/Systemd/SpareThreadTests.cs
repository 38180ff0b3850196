// A thread that the host refuses is told of once and had later.
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Systemd;

namespace LivePatchd.Tests.Systemd;

public sealed class SpareThreadTests : IDisposable
{
    private readonly Bench bench = new();
    private readonly Scarcity scarcity = new();

    public void Dispose() => bench.Dispose();

    [Fact]
    public void Start_Refused_ToldOnceAndStartedLater()
    {
        using var ran = new ManualResetEventSlim();
        var thread = new SpareThread("spare", ran.Set, bench.Log, scarcity.Start);
        Assert.False(thread.Start());
        Assert.False(thread.Start());
        Assert.True(thread.Join(TimeSpan.Zero));
        scarcity.Is = false;
        Assert.True(thread.Start());
        Assert.True(thread.Start());
        Assert.True(ran.Wait(Limit.Long, TestContext.Current.CancellationToken));
        Assert.True(thread.Join(Limit.Long));
        Assert.Equal(2, scarcity.Refused);
        Assert.Equal(1, bench.Said.Count("The thread for spare cannot be started"));
    }

    [Fact]
    public void Start_OtherFailure_IsABug()
    {
        var thread = new SpareThread("spare", () => { }, bench.Log, _ => throw new InvalidOperationException("odd"));
        Assert.Throws<InvalidOperationException>(() => thread.Start());
    }
}
