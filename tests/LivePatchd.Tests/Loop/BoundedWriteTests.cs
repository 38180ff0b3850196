// A write is waited for so long and no longer; its result is had one day, once.
using LivePatchd.Core.Model;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class BoundedWriteTests : IDisposable
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(1);
    private static readonly SysResult NoSpace = SysResult.Fail(Errno.ENOSPC, "write");

    private readonly Bench bench = new();
    private readonly BoundedWrite writer;
    private readonly ManualResetEventSlim answers = new();

    public BoundedWriteTests() => writer = new BoundedWrite("disk", bench.Log);

    public void Dispose()
    {
        answers.Set();
        writer.Dispose();
        answers.Dispose();
        bench.Dispose();
    }

    private SysResult Hang()
    {
        answers.Wait(Limit.Long);
        return NoSpace;
    }

    [Fact]
    public void Run_InTime_ItsResultAndOnAThreadOfItsOwn()
    {
        var by = "";
        Assert.Equal(SysResult.Success, writer.Run(() =>
        {
            by = Thread.CurrentThread.Name!;
            return SysResult.Success;
        }, Limit.Long));
        Assert.Equal("disk", by);
        Assert.Equal(NoSpace, writer.Run(() => NoSpace, Limit.Long));
        Assert.False(writer.IsBusy);
        Assert.Null(writer.Collect());
    }

    [Fact]
    public void Run_Late_GoesOnAndIsCollectedOnce()
    {
        Assert.Null(writer.Run(Hang, AtOnce));
        Assert.True(writer.IsBusy);
        Assert.Null(writer.Collect());
        Assert.Throws<InvalidOperationException>(() => writer.Run(() => SysResult.Success, Limit.Long));
        answers.Set();
        Assert.True(SpinWait.SpinUntil(() => !writer.IsBusy, Limit.Long));
        Assert.Equal(NoSpace, writer.Collect());
        Assert.Null(writer.Collect());
        Assert.Equal(SysResult.Success, writer.Run(() => SysResult.Success, Limit.Long));
    }

    [Fact]
    public void Run_Throws_LoggedAndNothingCountsAsWritten()
    {
        Assert.Equal(SysResult.Fail(Errno.EIO, "write"), writer.Run(() => throw new InvalidOperationException("odd disk"), Limit.Long));
        Assert.Equal(1, bench.Said.Count("odd disk"));
        Assert.Equal(SysResult.Success, writer.Run(() => SysResult.Success, Limit.Long));
    }

    [Fact]
    public void Dispose_NeverUsed_DoesNotWait() => new BoundedWrite("never", bench.Log).Dispose();
}
