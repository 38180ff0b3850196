// A thread for slow calls: one at a time, its result rung for, whatever becomes of it.
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class WorkerTests : IDisposable
{
    private static readonly PlanStep Step = new PlanStep.Load(Given.One, Given.Digest);

    private readonly SemaphoreSlim rung = new(0);
    private readonly Worker worker;

    public WorkerTests() => worker = new Worker("kernel", () => rung.Release());

    public void Dispose()
    {
        worker.Dispose();
        rung.Dispose();
    }

    private static WorkResult.Surveyed Result() => new(null);

    [Fact]
    public void Collect_Done_ResultOnceAndFreeAgain()
    {
        Assert.False(worker.IsBusy);
        Assert.Null(worker.Collect());
        var result = Result();
        var by = "";
        worker.Start(Step, () =>
        {
            by = Thread.CurrentThread.Name!;
            return result;
        });
        Assert.True(worker.IsBusy);
        Assert.Equal(Step, worker.Step);
        Assert.True(rung.Wait(Limit.Long, TestContext.Current.CancellationToken));
        // Until it is collected it is not over.
        Assert.True(worker.IsBusy);
        Assert.Same(result, worker.Collect());
        Assert.Equal("kernel", by);
        Assert.Equal((false, null), (worker.IsBusy, worker.Step));
        Assert.Null(worker.Collect());
    }

    [Fact]
    public void Start_Busy_Throws()
    {
        using var held = new ManualResetEventSlim();
        worker.Start(null, () =>
        {
            held.Wait(Limit.Long);
            return Result();
        });
        Assert.Null(worker.Step);
        Assert.Null(worker.Collect());
        Assert.Throws<InvalidOperationException>(() => worker.Start(null, Result));
        held.Set();
    }

    [Fact]
    public void Collect_WorkThrew_BrokenWithItsStepAndTheWorkerLives()
    {
        worker.Start(Step, () => throw new InvalidOperationException("odd kernel"));
        Assert.True(rung.Wait(Limit.Long, TestContext.Current.CancellationToken));
        var broken = Assert.IsType<WorkResult.Broken>(worker.Collect());
        Assert.Equal((Step, "odd kernel"), (broken.Step, broken.Exception.Message));
        worker.Start(null, Result);
        Assert.True(rung.Wait(Limit.Long, TestContext.Current.CancellationToken));
        Assert.IsType<WorkResult.Surveyed>(worker.Collect());
    }

    [Fact]
    public void Collect_KernelEndedTheThread_LostAndThereIsAnother()
    {
        worker.Start(Step, () =>
        {
            DyingThread.End();
            return Result();
        });
        WorkResult? result = null;
        Assert.True(SpinWait.SpinUntil(() => (result = worker.Collect()) is not null, Limit.Long));
        Assert.Equal(new WorkResult.Lost(Step), result);
        Assert.False(worker.IsBusy);
        worker.Start(null, Result);
        Assert.True(rung.Wait(Limit.Long, TestContext.Current.CancellationToken));
        Assert.IsType<WorkResult.Surveyed>(worker.Collect());
    }
}
