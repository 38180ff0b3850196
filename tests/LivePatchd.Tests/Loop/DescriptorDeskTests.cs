// Files of other programs: read on threads of their own, given up when they take too long, and never more of them than allowed.
using LivePatchd.Core.Model;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Tests.Loop;

public sealed class DescriptorDeskTests : IDisposable
{
    private readonly Bench bench = new();
    private readonly ManualResetEventSlim held = new();
    private int rings;
    private int hanging;

    public void Dispose()
    {
        held.Set();
        bench.Dispose();
    }

    private DescriptorDesk Made(Func<SafeFileHandle, ForeignFile> copy) => new(copy, () => Interlocked.Increment(ref rings), bench.Clock, bench.Log);

    private static Command.Stage Stage() => new(null, new SafeFileHandle(), "lp_one.ko");

    private ForeignFile Hang(SafeFileHandle file)
    {
        Interlocked.Increment(ref hanging);
        held.Wait(Limit.Long);
        return new ForeignFile(new SafeFileHandle(), null, "");
    }

    [Fact]
    public async Task Collect_Copied_TheCommandWithAFileOfOurOwn()
    {
        var own = new SafeFileHandle();
        using var desk = Made(_ => new ForeignFile(own, null, ""));
        Assert.True(desk.TryTake(Stage()));
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        var (ready, over) = Assert.Single(desk.Collect());
        Assert.Null(over);
        Assert.True(ready is Command.Stage { IsOwn: true } stage && ReferenceEquals(own, stage.File));
        Assert.Empty(desk.Collect());
    }

    [Fact]
    public async Task Collect_Refused_ItsReason()
    {
        using var desk = Made(_ => new ForeignFile(null, Reason.NotARegularFile, "a FIFO"));
        Assert.True(desk.TryTake(Stage()));
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        var (_, over) = Assert.Single(desk.Collect());
        Assert.Equal((Reason.NotARegularFile, "a FIFO"), over is WorkResult.Staged { Result.Refused: { } refused } ? (refused.Reason, refused.Detail) : default);
    }

    [Fact]
    public async Task Collect_ReadNeverReturns_GivenUpAndNobodyElseWaits()
    {
        var hangs = true;
        using var desk = Made(f => hangs ? Hang(f) : new ForeignFile(null, Reason.NotARegularFile, ""));
        Assert.True(desk.TryTake(new Command.PlanFile(null, new SafeFileHandle(), "lp_one.ko")));
        await Limit.Until(() => Volatile.Read(ref hanging) == 1);
        Volatile.Write(ref hangs, false);
        Assert.Empty(desk.Collect());
        bench.Time.Skip(DescriptorDesk.Patience);
        var (_, over) = Assert.Single(desk.Collect());
        Assert.Equal(
            "its file system has not given its content in 20 s",
            over is WorkResult.Probed { Result.Refused: { Reason: Reason.UnreadableFile } refused } ? refused.Detail : over?.ToString());
        Assert.Null(desk.Due);
        Assert.True(desk.TryTake(Stage()));
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        Assert.Single(desk.Collect());
    }

    private static Command.Stage StageWithManifest(SafeFileHandle module, SafeFileHandle manifest) =>
        new(null, module, "lp_one.ko") { Beside = [new StagedFile(manifest, "lp_one.yaml")] };

    [Fact]
    public async Task Collect_WithManifest_BothAreOurOwn()
    {
        var (module, manifest) = (new SafeFileHandle(), new SafeFileHandle());
        var own = new Dictionary<SafeFileHandle, SafeFileHandle> { [module] = new(), [manifest] = new() };
        using var desk = Made(f => new ForeignFile(own[f], null, ""));
        Assert.True(desk.TryTake(StageWithManifest(module, manifest)));
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        var stage = Assert.IsType<Command.Stage>(Assert.Single(desk.Collect()).Ready);
        Assert.Same(own[module], stage.File);
        Assert.Same(own[manifest], Assert.Single(stage.Beside).File);
        Assert.True(module.IsClosed && manifest.IsClosed);
        Assert.False(own[module].IsClosed || own[manifest].IsClosed);
    }

    [Fact]
    public async Task Collect_ManifestRefused_NamesItAndLeavesNothingOpen()
    {
        var (module, manifest, own) = (new SafeFileHandle(), new SafeFileHandle(), new SafeFileHandle());
        using var desk = Made(f => f == module ? new ForeignFile(own, null, "") : new ForeignFile(null, Reason.NotARegularFile, "a FIFO"));
        Assert.True(desk.TryTake(StageWithManifest(module, manifest)));
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        var over = Assert.IsType<WorkResult.Staged>(Assert.Single(desk.Collect()).Over);
        Assert.Equal(("lp_one.yaml", Reason.NotARegularFile), (over.Result.Refused!.Path, over.Result.Refused.Reason));
        Assert.True(module.IsClosed && manifest.IsClosed && own.IsClosed);
    }

    [Fact]
    public async Task Collect_ReadOfTheManifestNeverReturns_GivenUp()
    {
        var manifest = new SafeFileHandle();
        using var desk = Made(f => f == manifest ? Hang(f) : new ForeignFile(new SafeFileHandle(), null, ""));
        Assert.True(desk.TryTake(StageWithManifest(new SafeFileHandle(), manifest)));
        await Limit.Until(() => Volatile.Read(ref hanging) == 1);
        bench.Time.Skip(DescriptorDesk.Patience);
        var over = Assert.IsType<WorkResult.Staged>(Assert.Single(desk.Collect()).Over);
        Assert.Equal(Reason.UnreadableFile, over.Result.Refused!.Reason);
        held.Set();
        await Limit.Until(() => manifest.IsClosed);
    }

    [Fact]
    public async Task TryTake_AllThreadsHang_RefusedUntilOneReturns()
    {
        using var desk = Made(Hang);
        for (var i = 0; i < DescriptorDesk.MaxThreads; i++)
            Assert.True(desk.TryTake(Stage()));
        Assert.False(desk.TryTake(Stage()));
        bench.Time.Skip(DescriptorDesk.Patience);
        Assert.Equal(DescriptorDesk.MaxThreads, desk.Collect().Count());
        Assert.False(desk.TryTake(Stage()));
        held.Set();
        await Limit.Until(() => desk.TryTake(Stage()));
        // What comes too late is nobody's.
        Assert.All(desk.Collect(), c => Assert.NotNull(c.Ready));
    }
}
