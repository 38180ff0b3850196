// Pinning and nicing a thread of the test's own, and reading a file ahead.
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Placement;

namespace LivePatchd.Linux.Tests.Placement;

public sealed class PlacementTests
{
    [Fact]
    public void Apply_CpuAndNice_PinsAndNicesTheThreadUntilDisposed() => OnAThread(() =>
    {
        var allowed = ThreadPlacement.AllowedCpus();
        // The kernel keeps a nice value at 19 or below, and `make test` itself may run niced.
        var lowered = Math.Min(ThreadPlacement.Nice() + 3, 19);
        using (var placed = ThreadPlacement.Apply(allowed[^1], lowered))
        {
            Assert.Empty(placed.Refused);
            Assert.Equal([allowed[^1]], ThreadPlacement.AllowedCpus());
            Assert.Equal(lowered, ThreadPlacement.Nice());
        }
        Assert.Equal(allowed, ThreadPlacement.AllowedCpus());
    });

    [Fact]
    public void A_cpu_that_is_not_there_is_refused_and_said() => OnAThread(() =>
    {
        var allowed = ThreadPlacement.AllowedCpus();
        using var placed = ThreadPlacement.Apply(CpuList.MaxCpus - 1, ThreadPlacement.Nice());
        Assert.Contains("sched_setaffinity", Assert.Single(placed.Refused));
        Assert.Equal(allowed, ThreadPlacement.AllowedCpus());
    });

    [Fact]
    public void Lists_and_counters_come_from_the_root_and_the_last_reading_is_kept()
    {
        using var host = new FakeRoot();
        host.Write("/sys/devices/system/cpu/online", "0-3\n");
        host.Write("/sys/devices/system/cpu/isolated", "2\n");
        host.Write("/sys/devices/system/cpu/nohz_full", "(null)\n");
        host.Write("/proc/softirqs", "  CPU0 CPU1\n NET_RX: 1 2\n");
        using var reader = new CpuReader(host.Root);
        Assert.Empty(reader.Read().Before);
        host.Write("/proc/softirqs", "  CPU0 CPU1\n NET_RX: 4 2\n");
        var facts = reader.Read();
        Assert.Equal([0, 1, 2, 3], facts.Online);
        Assert.Equal([2], facts.Reserved);
        Assert.Equal((1u, 4u), (facts.Before[0].NetReceive, facts.After[0].NetReceive));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(600_000)]
    public void A_file_is_read_to_its_end_and_the_position_stays(int size)
    {
        using var host = new FakeRoot();
        using var file = Sys.Open(host.Write("/module.ko", new byte[size]), LibC.ReadOnly).Value!;
        Assert.Equal(size, FilePreread.Run(file).Value);
        Assert.Equal(size, Sys.Read(file, new byte[size + 1]).Value);
    }

    [Fact]
    public void What_cannot_be_read_is_an_error()
    {
        using var host = new FakeRoot();
        using var directory = Sys.Open(host.Directory, LibC.ReadOnly).Value!;
        Assert.Equal(Errno.EISDIR, FilePreread.Run(directory).Errno);
    }

    // A thread of its own: a failure must not leave a thread of the pool pinned.
    private static void OnAThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
