// The recorder alone: what it compares with, what it forgets, and that nothing that goes wrong in it reaches anybody.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Systemd;
using LivePatchd.Log;
using LivePatchd.Loop;

namespace LivePatchd.EndToEnd.Tests;

public sealed class ImpactRecorderTests : IAsyncDisposable
{
    private static readonly PatchName Name = PatchName.Parse("lp_one");

    private readonly TestHost host = new(startBus: false);
    private readonly Machine machine = new();
    private readonly JournalSink sink;
    private readonly MonotonicClock clock;

    public ImpactRecorderTests()
    {
        sink = new JournalSink(host.Root);
        clock = new MonotonicClock(host.Time);
    }

    public async ValueTask DisposeAsync()
    {
        sink.Dispose();
        await host.DisposeAsync();
    }

    private ImpactRecorder Started(Func<Instant, PressureSample>? read = null)
    {
        var log = new DaemonLog(sink);
        var recorder = new ImpactRecorder(read ?? machine.Read, clock, new HistoryBook(new AppendLog(host.Root, HistoryBook.Path), log), log);
        recorder.Start();
        return recorder;
    }

    private void Idle(ImpactRecorder recorder) => recorder.RecordIdle(machine.Read(clock.Now()));

    private async Task<HistoryEntry> Entry(ImpactRecorder recorder, int count = 1)
    {
        await Limit.Until(
            () =>
            {
                host.Time.Skip(TimeSpan.FromSeconds(1));
                return recorder.History.Length == count;
            },
            () => host.Log.Text);
        return recorder.History[^1];
    }

    [Fact]
    public async Task The_minute_before_is_that_of_the_idle_samples_and_nothing_older()
    {
        using var recorder = Started();
        for (var i = 0; i < 20; i++)
        {
            Idle(recorder);
            host.Time.Skip(TimeSpan.FromSeconds(10));
        }
        recorder.Begin(Name, null, Operation.Apply, ImpactPhase.Load);
        await Limit.Until(() => machine.Samples > 20);
        recorder.Next(ImpactPhase.Transition);
        recorder.End(OperationResult.Done);
        var entry = await Entry(recorder);
        Assert.InRange(entry.Impact.Before!.Duration, TimeSpan.FromSeconds(45), TimeSpan.FromSeconds(65));
        Assert.Equal(2, entry.Impact.Phases.Length);
        Assert.NotNull(entry.Impact.During);
    }

    [Fact]
    public async Task A_fresh_idle_sample_is_the_first_of_the_operation()
    {
        using var recorder = Started();
        Idle(recorder);
        recorder.Begin(Name, null, Operation.Revert, ImpactPhase.Revert);
        recorder.End(OperationResult.Done);
        var entry = await Entry(recorder);
        Assert.True(entry.Impact.During!.SoftirqSqueezes >= 1);
        Assert.Equal(entry.Impact.During.SoftirqSqueezes, entry.Impact.Phases[0].Delta!.SoftirqSqueezes);
    }

    [Fact]
    public async Task The_running_samples_are_seen_only_while_something_runs()
    {
        using var recorder = Started();
        var seen = 0;
        recorder.Sampled += _ => Interlocked.Increment(ref seen);
        Idle(recorder);
        Assert.Null(recorder.Running);
        recorder.Begin(Name, null, Operation.Apply, ImpactPhase.Load);
        await Limit.Until(() => Volatile.Read(ref seen) > 3);
        Assert.Equal((Name, Operation.Apply, ImpactPhase.Load), recorder.Running);
        recorder.End(OperationResult.Failed);
        var until = Volatile.Read(ref seen);
        Assert.Null(recorder.Running);
        recorder.End(OperationResult.Done);
        Assert.Equal(OperationResult.Failed, (await Entry(recorder)).Result);
        // One may have been on its way.
        Assert.InRange(Volatile.Read(ref seen), until, until + 1);
    }

    [Fact]
    public async Task One_operation_on_the_heels_of_another_cuts_its_tail_and_not_its_entry()
    {
        using var recorder = Started();
        recorder.Begin(Name, null, Operation.Apply, ImpactPhase.Load);
        recorder.End(OperationResult.Done);
        recorder.Begin(PatchName.Parse("lp_two"), null, Operation.Apply, ImpactPhase.Load);
        recorder.Begin(PatchName.Parse("lp_three"), null, Operation.Apply, ImpactPhase.Load);
        // What is known is shown at once, and written to the disk when nothing is measured any more.
        await Limit.Until(() => recorder.History.Length == 2 && machine.Samples > 2);
        Assert.False(File.Exists(host.Root.Path(HistoryBook.Path)));
        recorder.End(OperationResult.Done);
        await Entry(recorder, count: 3);
        Assert.Equal(["lp_one", "lp_two", "lp_three"], recorder.History.Select(e => e.Patch.Value));
        Assert.Equal([OperationResult.Done, OperationResult.Reversed, OperationResult.Done], recorder.History.Select(e => e.Result));
        await Limit.Until(() => File.Exists(host.Root.Path(HistoryBook.Path)));
    }

    [Fact]
    public async Task What_is_abandoned_or_unfinished_leaves_no_entry()
    {
        using (var recorder = Started())
        {
            recorder.Begin(Name, null, Operation.Revert, ImpactPhase.Revert);
            recorder.Abandon();
            Assert.Null(recorder.Running);
            recorder.Begin(Name, null, Operation.Apply, ImpactPhase.Load);
            await Limit.Until(() => machine.Samples > 1);
        }
        using var next = Started();
        next.Begin(Name, null, Operation.Revert, ImpactPhase.Revert);
        next.End(OperationResult.Done);
        Assert.Equal(Operation.Revert, (await Entry(next)).Operation);
    }

    [Fact]
    public async Task A_reader_that_throws_costs_its_sample_and_is_told()
    {
        var calls = 0;
        var broken = false;
        using var recorder = Started(now => Interlocked.Increment(ref calls) == 1 || Volatile.Read(ref broken) ? throw new InvalidOperationException("odd file") : machine.Read(now));
        recorder.Begin(Name, null, Operation.Apply, ImpactPhase.Load);
        await Limit.Until(() => calls > 3);
        recorder.End(OperationResult.Done);
        Assert.NotNull((await Entry(recorder)).Impact.During);
        Volatile.Write(ref broken, true);
        recorder.Begin(Name, null, Operation.Revert, ImpactPhase.Revert);
        recorder.End(OperationResult.Done);
        Assert.Null((await Entry(recorder, count: 2)).Impact.After);
        await Limit.Until(() => host.Log.Text.Contains("odd file", StringComparison.Ordinal));
        host.Log.Expects("odd file");
    }
}
