// The recorder alone: what it compares with, what it forgets, and that nothing that goes wrong in it reaches anybody.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class ImpactRecorderTests : IDisposable
{
    private static readonly PatchName Name = PatchName.Parse("lp_one");

    private readonly Bench bench = new();
    private readonly SkippingTime time = new();
    private readonly Machine machine = new();
    private readonly MonotonicClock clock;

    public ImpactRecorderTests() => clock = new MonotonicClock(time);

    public void Dispose() => bench.Dispose();

    private ImpactRecorder Made(Func<Instant, PressureSample>? read = null, Action<Thread>? start = null) =>
        new(read ?? machine.Read, clock, new HistoryBook(new AppendLog(bench.Root, HistoryBook.Path), bench.Log), bench.Log, start);

    private ImpactRecorder Started(Func<Instant, PressureSample>? read = null)
    {
        var recorder = Made(read);
        recorder.Start();
        return recorder;
    }

    private void Idle(ImpactRecorder recorder) => recorder.RecordIdle(machine.Read(clock.Now()));

    private async Task<HistoryEntry> Entry(ImpactRecorder recorder, int count = 1)
    {
        await Limit.Until(
            () =>
            {
                time.Skip(TimeSpan.FromSeconds(1));
                return recorder.History.Length == count;
            },
            () => bench.Said.Text);
        return recorder.History[^1];
    }

    [Fact]
    public async Task Begin_IdleSamplesKept_MinuteBeforeIsTheirsAndNothingOlder()
    {
        using var recorder = Started();
        for (var i = 0; i < 20; i++)
        {
            Idle(recorder);
            time.Skip(TimeSpan.FromSeconds(10));
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
    public async Task Begin_FreshIdleSample_IsFirstOfTheOperation()
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
    public async Task Sampled_NothingRuns_NotRaised()
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
    public async Task Begin_BeforeTailOfTheLast_CutsTailAndNotEntry()
    {
        using var recorder = Started();
        recorder.Begin(Name, null, Operation.Apply, ImpactPhase.Load);
        recorder.End(OperationResult.Done);
        recorder.Begin(PatchName.Parse("lp_two"), null, Operation.Apply, ImpactPhase.Load);
        recorder.Begin(PatchName.Parse("lp_three"), null, Operation.Apply, ImpactPhase.Load);
        // What is known is shown at once, and written to the disk when nothing is measured any more.
        await Limit.Until(() => recorder.History.Length == 2 && machine.Samples > 2);
        Assert.False(File.Exists(bench.Root.Path(HistoryBook.Path)));
        recorder.End(OperationResult.Done);
        await Entry(recorder, count: 3);
        Assert.Equal(["lp_one", "lp_two", "lp_three"], recorder.History.Select(e => e.Patch.Value));
        Assert.Equal([OperationResult.Done, OperationResult.Reversed, OperationResult.Done], recorder.History.Select(e => e.Result));
        await Limit.Until(() => File.Exists(bench.Root.Path(HistoryBook.Path)));
    }

    [Fact]
    public async Task Abandon_OrUnfinished_LeavesNoEntry()
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
    public async Task Read_Throws_CostsItsSampleAndIsLogged()
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
        await Limit.Until(() => bench.Said.Count("odd file") > 0);
    }

    [Fact]
    public async Task Begin_ThreadRefusedAtStart_NextOperationIsMeasured()
    {
        var scarce = true;
        using var recorder = Made(start: thread =>
        {
            if (scarce)
                throw new InsufficientMemoryException();
            thread.Start();
        });
        recorder.Start();
        recorder.Begin(Name, null, Operation.Apply, ImpactPhase.Load);
        recorder.End(OperationResult.Done);
        scarce = false;
        recorder.Begin(Name, null, Operation.Revert, ImpactPhase.Revert);
        recorder.End(OperationResult.Done);
        await Entry(recorder, count: 2);
    }

    [Fact]
    public async Task Explain_Running_IsInTheEntry()
    {
        using var recorder = Started();
        recorder.Explain(Reason.KernelOops, "nothing runs yet");
        recorder.Begin(Name, null, Operation.Revert, ImpactPhase.Revert);
        recorder.Explain(Reason.KernelOops, "BUG: at one");
        recorder.End(OperationResult.Done);
        recorder.Explain(Reason.UnitsFailed, "after its end");
        var entry = await Entry(recorder);
        Assert.Equal((Reason.KernelOops, "BUG: at one"), (entry.Why, entry.Detail));
    }

    [Fact]
    public async Task History_OfAnEarlierProcess_IsReadAndAnnounced()
    {
        using (var recorder = Started())
        {
            recorder.Begin(Name, null, Operation.Apply, ImpactPhase.Load);
            recorder.End(OperationResult.Done);
            await Entry(recorder);
        }
        using var next = Made();
        using var changed = new ManualResetEventSlim();
        next.Changed += changed.Set;
        next.Start();
        Assert.True(changed.Wait(Limit.Long, TestContext.Current.CancellationToken));
        Assert.Equal(Name, Assert.Single(next.History).Patch);
    }
}
