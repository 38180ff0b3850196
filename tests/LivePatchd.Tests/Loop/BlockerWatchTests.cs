// Who blocks a transition: looked for while it lasts, shown once the loop has seen the same transition again, told when it is overdue.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class BlockerWatchTests : IDisposable
{
    private static readonly StallDeadlines Deadlines = new(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(120));
    private static readonly LoadedPatch Enabling = Given.Loaded(KernelPatchState.Enabling);

    private readonly Bench bench = new();
    private readonly Scarcity scarcity = new() { Is = false };
    private readonly RunningTransition transition;
    private readonly BlockerWatch watch;
    private int scans;
    private int rings;
    private volatile Func<Instant, SysResult<BlockerReport>> scan;

    public BlockerWatchTests()
    {
        transition = new RunningTransition(Given.One, Enabling: true, bench.Now);
        scan = now => SysResult.Ok(Report(now));
        watch = new BlockerWatch(
            (_, _, now) =>
            {
                Interlocked.Increment(ref scans);
                return scan(now);
            },
            () => Interlocked.Increment(ref rings), bench.Clock, bench.Log, scarcity.Start);
    }

    public void Dispose()
    {
        watch.Dispose();
        bench.Dispose();
    }

    private static Blocker Task(int pid, bool never = false, bool own = false) =>
        new(new TaskKey(pid, pid, 1), "cat", 'S', "web.service", never, own, 0, TimeSpan.Zero, 0, true, "vfs_read", never);

    private static BlockerReport Report(Instant now, params ImmutableArray<Blocker> blockers) =>
        new(now, Given.One, true, 100, blockers.Length, blockers.Count(b => b.Own), 0, blockers);

    private void Follow(RunningTransition? running, LoadedPatch? patch) => watch.Follow(running, patch, Deadlines, Bench.Boot, bench.Now);

    private void Follow() => Follow(transition, Enabling);

    /// <summary>Until a pass that begins now is over and taken in.</summary>
    private async Task Pass(double seconds)
    {
        bench.Time.Skip(TimeSpan.FromSeconds(seconds));
        var before = Volatile.Read(ref rings);
        Follow();
        await Limit.Until(() => Volatile.Read(ref rings) > before, () => bench.Said.Text);
        Follow();
    }

    [Fact]
    public async Task Follow_TransitionLasts_LookedForAfterTwoSecondsAndShown()
    {
        Follow();
        bench.Time.Skip(TimeSpan.FromSeconds(1.9));
        Follow();
        Assert.Equal(0, Volatile.Read(ref scans));
        Assert.Null(watch.View!.Report);
        Assert.Null(watch.View.Token);
        await Pass(0.1);
        Assert.Equal(100, watch.View.Report!.Total);
        Assert.Equal(BlockersToken.Of(Bench.Boot, Given.One, true, transition.Since), watch.View.Token);
        Assert.False(watch.View.Overdue);
    }

    [Fact]
    public async Task Ask_SomebodyWantsToKnow_LookedForAtOnce()
    {
        Follow();
        watch.Ask();
        await Pass(0);
        Assert.NotNull(watch.View!.Report);
    }

    [Fact]
    public async Task Follow_PassEndsAfterItsTransition_NothingOfItIsShown()
    {
        using var held = new ManualResetEventSlim();
        scan = now =>
        {
            held.Wait(Limit.Long);
            return SysResult.Ok(Report(now, Task(7)));
        };
        bench.Time.Skip(TimeSpan.FromSeconds(2));
        Follow();
        await Limit.Until(() => Volatile.Read(ref scans) == 1);
        var next = new RunningTransition(Given.Two, true, bench.Now);
        Follow(next, Enabling with { Name = Given.Two });
        held.Set();
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        Follow(next, Enabling with { Name = Given.Two });
        Assert.Equal(Given.Two, watch.View!.Patch);
        Assert.Null(watch.View.Report);
        Follow(null, null);
        Assert.Null(watch.View);
    }

    [Fact]
    public async Task Follow_Overdue_ToldOnceWithItsTasks()
    {
        scan = now => SysResult.Ok(Report(now, Task(7), Task(8), Task(9), Task(10), Task(11), Task(12), Task(13, own: true)));
        await Pass(14);
        Assert.Equal(0, bench.Said.Count("have not switched"));
        Assert.Equal(0, watch.View!.StalledTasks);
        await Pass(30);
        await Pass(30);
        Assert.Equal(6, watch.View.StalledTasks);
        Assert.Equal(1, bench.Said.Count("lp_one: 6 of 100 tasks have not switched: web.service cat (7) in vfs_read; "));
        Assert.Equal(1, bench.Said.Count("; and 1 more"));
        Assert.Equal(0, bench.Said.Count("(13)"));
    }

    [Fact]
    public async Task Follow_OnlyOwnThreadsLeft_NothingIsTold()
    {
        scan = now => SysResult.Ok(Report(now, Task(7, own: true)));
        await Pass(30);
        Assert.True(watch.View!.Overdue);
        Assert.Equal(0, bench.Said.Count("have not switched"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task NeverCompletes_KernelThreadInThePatchedFunction_OnlyOfALoad(bool enabling)
    {
        Assert.Null(watch.NeverCompletes);
        scan = now => SysResult.Ok(Report(now, Task(7), Task(8, never: true)) with { Enabling = enabling });
        bench.Time.Skip(TimeSpan.FromSeconds(3));
        var running = new RunningTransition(Given.One, enabling, transition.Since);
        Follow(running, Enabling);
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        Follow(running, Enabling);
        Assert.Equal(enabling ? "kernel thread cat (8) never leaves vfs_read" : null, watch.NeverCompletes?.Detail);
    }

    [Fact]
    public async Task Follow_TasksCannotBeRead_ToldAndPaused()
    {
        scan = _ => SysResult.Fail<BlockerReport>(Errno.EIO, "open /proc");
        await Pass(3);
        Assert.Equal(1, bench.Said.Count("who blocks its transition cannot be read: open /proc: EIO"));
        bench.Time.Skip(TimeSpan.FromSeconds(29));
        Follow();
        Assert.Equal(1, Volatile.Read(ref scans));
        scan = now => SysResult.Ok(Report(now));
        await Pass(1);
        Assert.NotNull(watch.View!.Report);
    }

    [Fact]
    public async Task Follow_ThreadRefused_LookedForAgainLater()
    {
        scarcity.Is = true;
        bench.Time.Skip(TimeSpan.FromSeconds(10));
        Follow();
        Follow();
        Assert.Equal(1, scarcity.Refused);
        scarcity.Is = false;
        await Pass(30);
        Assert.NotNull(watch.View!.Report);
    }

    [Fact]
    public async Task Follow_ScanThrows_LoggedAndEverythingElseGoesOn()
    {
        scan = _ => throw new InvalidOperationException("odd task");
        bench.Time.Skip(TimeSpan.FromSeconds(3));
        Follow();
        await Limit.Until(() => bench.Said.Count("odd task") == 1);
        Follow();
        Assert.NotNull(watch.View);
    }
}
