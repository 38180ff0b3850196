// A host that has no thread to spare refuses one now and gives it later: each part goes on without, and tries again at its next need.
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Systemd;
using LivePatchd.Log;
using LivePatchd.Loop;
using LivePatchd.Publish;
using LivePatchd.Systemd;

namespace LivePatchd.EndToEnd.Tests;

public sealed class ScarcityTests : IAsyncDisposable
{
    private static readonly PatchName Name = PatchName.Parse("lp_one");

    private readonly TestHost host = new(startBus: false, uptime: TimeSpan.FromMinutes(1) - TimeProvider.System.GetElapsedTime(0));
    private readonly JournalSink sink;
    private readonly DaemonLog log;
    private readonly MonotonicClock clock;
    private bool scarce = true;
    private int refused;

    public ScarcityTests()
    {
        sink = new JournalSink(host.Root);
        log = new DaemonLog(sink);
        clock = new MonotonicClock(host.Time);
    }

    public async ValueTask DisposeAsync()
    {
        sink.Dispose();
        await host.DisposeAsync();
    }

    private void Start(Thread thread)
    {
        if (scarce)
        {
            refused++;
            throw new InsufficientMemoryException();
        }
        thread.Start();
    }

    [Fact]
    public async Task What_is_refused_is_told_once_and_had_later()
    {
        using var ran = new ManualResetEventSlim();
        var thread = new SpareThread("spare", ran.Set, log, Start);
        Assert.False(thread.Start());
        Assert.False(thread.Start());
        Assert.True(thread.Join(TimeSpan.Zero));
        scarce = false;
        Assert.True(thread.Start());
        Assert.True(thread.Start());
        Assert.True(ran.Wait(Limit.Long, TestContext.Current.CancellationToken));
        Assert.True(thread.Join(Limit.Long));
        Assert.Equal(2, refused);
        await Limit.Until(() => host.Log.Count("The thread for spare cannot be started") == 1);
    }

    [Fact]
    public async Task A_question_waits_for_its_thread()
    {
        using var side = new SideThread<string>("side", () => { }, log, Start);
        side.Ask(() => "answer");
        Assert.Null(side.Collect());
        Assert.True(side.IsBusy);
        scarce = false;
        string? answer = null;
        await Limit.Until(() => (answer = side.Collect()) is not null);
        Assert.Equal("answer", answer);
        Assert.False(side.IsBusy);

        scarce = true;
        using var never = new SideThread<string>("never", () => { }, log, Start);
        never.Ask(() => "answer");
    }

    [Fact]
    public async Task The_clock_decides_about_the_boot_until_somebody_can_ask()
    {
        using (var boot = new BootWatch(host.Root, BusAddress.At(host.Bus.Address), clock, () => { }, log, Start))
        {
            boot.Start();
            Assert.True(boot.IsKnown);
            Assert.False(boot.IsComplete(clock.Now()));
            Assert.NotNull(boot.Due(clock.Now()));
            Assert.Equal(2, refused);
            host.Time.Skip(BootWatch.WithoutWord);
            Assert.True(boot.IsComplete(clock.Now()));
        }
        host.Time.Skip(-BootWatch.WithoutWord);
        using var systemd = new FakePrivateSocket(host, finished: 1);
        using var later = new BootWatch(host.Root, BusAddress.At(host.Bus.Address), clock, () => { }, log, Start);
        later.Start();
        scarce = false;
        Assert.NotNull(later.Due(clock.Now()));
        await Limit.Until(() => later.IsComplete(clock.Now()));
    }

    [Fact]
    public async Task The_next_operation_is_measured()
    {
        var machine = new Machine();
        using var recorder = new ImpactRecorder(machine.Read, clock, new HistoryBook(new AppendLog(host.Root, HistoryBook.Path), log), log, Start);
        recorder.Start();
        recorder.Begin(Name, null, Operation.Apply, ImpactPhase.Load);
        recorder.End(OperationResult.Done);
        scarce = false;
        recorder.Begin(Name, null, Operation.Revert, ImpactPhase.Revert);
        recorder.End(OperationResult.Done);
        await Limit.Until(
            () =>
            {
                host.Time.Skip(TimeSpan.FromSeconds(1));
                return recorder.History.Length == 2;
            },
            () => host.Log.Text);
    }

    [Fact]
    public async Task Blockers_are_looked_for_again()
    {
        var transition = new RunningTransition(Name, Enabling: true, clock.Now());
        var patch = new LoadedPatch(Name, true, true, true, null, null, true, 1, true, null, []);
        using var blockers = new BlockerWatch(
            (_, _, now) => SysResult.Ok(new BlockerReport(now, Name, true, 1, 1, 0, 0, [])), () => { }, clock, log, Start);
        void Follow() => blockers.Follow(transition, patch, new StallDeadlines(TimeSpan.FromHours(1), TimeSpan.FromHours(2)), "boot", clock.Now());
        host.Time.Skip(TimeSpan.FromSeconds(10));
        Follow();
        Follow();
        Assert.Equal(1, refused);
        scarce = false;
        await Limit.Until(() =>
        {
            host.Time.Skip(TimeSpan.FromSeconds(10));
            Follow();
            return blockers.View?.Report is not null;
        });
    }

    [Fact]
    public async Task A_snapshot_that_cannot_be_shown_costs_one_try_of_the_bus()
    {
        host.Bus.Start();
        host.Log.Expects("Bug in opening the bus");
        using var bus = new BusService(new DaemonOptions(host.Root, BusAddress.At(host.Bus.Address)), _ => { }, log, TimeProvider.System, () => { });
        var good = new DaemonSnapshot(
            new HostView("1", TestHost.Release, "enforce", "running", null, null, null, null, 1, [], [], 0),
            [], [], [], [], new GatesView(null, "", null, [], null, []), null, "{}", [], clock.Now());
        var trouble = 0;
        bus.Changed += () => Interlocked.Increment(ref trouble);
        bus.Publish(good with { Patches = [null!] });
        await Limit.Until(() => host.Log.Count("Bug in opening the bus") > 0, () => host.Log.Text);
        await Limit.Until(() => Volatile.Read(ref trouble) == 1);
        Assert.Equal(Reason.BusUnavailable, bus.Trouble);
        bus.Publish(good);
        await Limit.Until(() => bus.Trouble is null && host.View.List().IsOk, () => host.Log.Text);
    }
}
