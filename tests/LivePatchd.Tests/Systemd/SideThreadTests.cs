// One question at a time on a thread of its own; the answer rings and is had once.
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Systemd;

namespace LivePatchd.Tests.Systemd;

public sealed class SideThreadTests : IDisposable
{
    private readonly Bench bench = new();
    private readonly Scarcity scarcity = new();
    private int rings;

    public void Dispose() => bench.Dispose();

    [Fact]
    public async Task Ask_ThreadRefused_AnsweredOnceThereIsOne()
    {
        using var side = new SideThread<string>("side", () => { }, bench.Log, scarcity.Start);
        side.Ask(() => "answer");
        Assert.Null(side.Collect());
        Assert.True(side.IsBusy);
        scarcity.Is = false;
        string? answer = null;
        await Limit.Until(() => (answer = side.Collect()) is not null);
        Assert.Equal("answer", answer);
        Assert.False(side.IsBusy);
    }

    [Fact]
    public void Dispose_ThreadNeverHad_DoesNotWait()
    {
        var side = new SideThread<string>("side", () => { }, bench.Log, scarcity.Start);
        side.Ask(() => "answer");
        side.Dispose();
        Assert.Equal(1, scarcity.Refused);
    }

    [Fact]
    public async Task Collect_Answered_OnceAndAfterTheRing()
    {
        using var side = Made();
        side.Ask(() => "first");
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        Assert.True(side.IsBusy);
        Assert.Equal("first", side.Collect());
        Assert.Null(side.Collect());
        side.Ask(() => "second");
        await Limit.Until(() => Volatile.Read(ref rings) == 2);
        Assert.Equal("second", side.Collect());
    }

    [Fact]
    public void Ask_Busy_Throws()
    {
        using var held = new ManualResetEventSlim();
        using var side = Made();
        side.Ask(() =>
        {
            held.Wait(Limit.Long);
            return "";
        });
        Assert.Throws<InvalidOperationException>(() => side.Ask(() => ""));
        held.Set();
    }

    [Fact]
    public async Task Ask_QuestionThrows_LoggedAndStaysOpen()
    {
        using var side = Made();
        side.Ask(() => throw new InvalidOperationException("odd answer"));
        await Limit.Until(() => bench.Said.Count("odd answer") == 1);
        Assert.Null(side.Collect());
        Assert.True(side.IsBusy);
        Assert.Equal(0, Volatile.Read(ref rings));
    }

    [Fact]
    public async Task Collect_KernelEndedTheThread_FreeAgainAndAnotherAnswers()
    {
        using var side = Made();
        side.Ask(() =>
        {
            DyingThread.End();
            return "never";
        });
        await Limit.Until(() => side.Collect() is null && !side.IsBusy);
        Assert.Equal(1, bench.Said.Count("another takes its place"));
        side.Ask(() => "answer");
        string? answer = null;
        await Limit.Until(() => (answer = side.Collect()) is not null);
        Assert.Equal("answer", answer);
    }

    private SideThread<string> Made() => new("side", () => Interlocked.Increment(ref rings), bench.Log);
}
