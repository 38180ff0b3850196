// Where a load is made: pinned and niced for the call alone, and told afterwards.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Placement;
using LivePatchd.Loop;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Tests.Loop;

public sealed class LoadPlacerTests : IDisposable
{
    private readonly Bench bench = new();
    private readonly CpuReader cpus;
    private readonly LoadPlacer placer;
    private readonly SafeFileHandle module;
    private readonly int cpu = ThreadPlacement.AllowedCpus()[^1];

    public LoadPlacerTests()
    {
        cpus = new CpuReader(bench.Root);
        placer = new LoadPlacer(cpus);
        module = File.OpenHandle(bench.Files.Write("/module.ko", "bytes"));
    }

    public void Dispose()
    {
        module.Dispose();
        cpus.Dispose();
        bench.Dispose();
    }

    /// <summary>On a thread of its own, as the worker's is: its nice value and its CPUs are not the test's.</summary>
    private static void Apart(Action act)
    {
        Exception? thrown = null;
        var thread = new Thread(() =>
        {
            try
            {
                act();
            }
            catch (Exception e)
            {
                thrown = e;
            }
        });
        thread.Start();
        thread.Join();
        if (thrown is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(thrown);
    }

    private PlacementSettings Fixed => new(CpuChoice.Fixed, cpu, 15);

    [Fact]
    public void Run_FixedCpu_PinnedAndNicedForTheCallAlone() => Apart(() =>
    {
        var (cpusBefore, niceBefore) = (ThreadPlacement.AllowedCpus(), ThreadPlacement.Nice());
        var result = placer.Run(Fixed, module, () =>
        {
            Assert.Equal([cpu], ThreadPlacement.AllowedCpus());
            Assert.Equal(15, ThreadPlacement.Nice());
            return SysResult.Fail(Errno.EBUSY, "finit_module");
        });
        Assert.Equal(SysResult.Fail(Errno.EBUSY, "finit_module"), result);
        Assert.Equal(cpusBefore, ThreadPlacement.AllowedCpus());
        Assert.Equal(niceBefore, ThreadPlacement.Nice());
    });

    [Fact]
    public void Run_LoadThrows_PlacedAsBefore() => Apart(() =>
    {
        var before = ThreadPlacement.AllowedCpus();
        Assert.Throws<InvalidOperationException>(() => placer.Run(Fixed, module, () => throw new InvalidOperationException()));
        Assert.Equal(before, ThreadPlacement.AllowedCpus());
    });

    [Fact]
    public void TakeNews_AfterALoad_Once() => Apart(() =>
    {
        Assert.Null(placer.TakeNews());
        placer.Run(Fixed, module, () => SysResult.Success);
        Assert.Equal($"Loaded on cpu {cpu}: placement.cpu names it", placer.TakeNews());
        Assert.Null(placer.TakeNews());
    });

    [Fact]
    public void Run_NotPinned_SchedulerDecides() => Apart(() =>
    {
        var before = ThreadPlacement.AllowedCpus();
        placer.Run(new PlacementSettings(CpuChoice.None, null, ThreadPlacement.Nice()), module, () =>
        {
            Assert.Equal(before, ThreadPlacement.AllowedCpus());
            return SysResult.Success;
        });
        Assert.Equal("Loaded on no particular cpu: placement.cpu is none", placer.TakeNews());
    });

    [Fact]
    public void Run_FileCannotBeReadAhead_LoadedAllTheSameAndTold() => Apart(() =>
    {
        using var writeOnly = File.OpenHandle(bench.Files.Write("/other.ko", "bytes"), FileMode.Open, FileAccess.Write);
        var loaded = false;
        placer.Run(new PlacementSettings(CpuChoice.None, null, 0), writeOnly, () =>
        {
            loaded = true;
            return SysResult.Success;
        });
        Assert.True(loaded);
        Assert.Contains("; not read ahead: pread: EBADF", placer.TakeNews(), StringComparison.Ordinal);
    });
}
