// Readings from a tree that stands for /proc and /sys, and from the machine itself.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Pressure;

namespace LivePatchd.Linux.Tests.Pressure;

public sealed class PressureReaderTests : IDisposable
{
    private static readonly Instant Now = new(TimeSpan.FromHours(3), DateTimeOffset.UnixEpoch);

    private readonly FakeRoot host = new();

    public PressureReaderTests()
    {
        host.Write("/proc/pressure/io", "some avg10=1.00 avg60=2.00 avg300=3.00 total=4000000\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=1000000\n");
        host.Write("/proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
        host.Write("/proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
        host.Write("/proc/loadavg", "2.50 1.00 0.50 3/456 7890\n");
        host.Write("/sys/devices/system/cpu/online", "0-3,6\n");
        host.Write("/proc/net/snmp", "Tcp: RtoMin OutSegs RetransSegs\nTcp: 200 5000 25\n");
        host.Write("/proc/net/softnet_stat", "00000001 00000000 00000002 0\n00000001 00000000 00000010 0\n");
        host.Write("/sys/kernel/oops_count", "1\n");
        host.Write("/sys/kernel/warn_count", "12\n");
    }

    public void Dispose() => host.Dispose();

    [Fact]
    public void Every_source_reaches_the_sample()
    {
        using var reader = new PressureReader(host.Root);
        var sample = reader.Read(Now);
        Assert.Empty(reader.Failures);
        Assert.Equal(
            new PressureSample(
                Now,
                new PsiReading(new PsiLine(0.01, 0.02, 0.03, TimeSpan.FromSeconds(4)), new PsiLine(0.005, 0, 0, TimeSpan.FromSeconds(1))),
                new PsiReading(new PsiLine(0, 0, 0, TimeSpan.FromMicroseconds(7)), null),
                new PsiReading(default, default(PsiLine)),
                2.5,
                5,
                new TcpCounters(5000, 25),
                18,
                1,
                12),
            sample);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void PressureFiles_AllAbsent_AreOffAndNotMissing(bool all, bool off)
    {
        foreach (var name in all ? new[] { "io", "cpu", "memory" } : ["io", "cpu"])
            File.Delete(host.Path($"/proc/pressure/{name}"));
        using var reader = new PressureReader(host.Root);
        Assert.Equal(off, reader.Read(Now).PsiOff);
    }

    [Fact]
    public void A_source_that_changes_goes_and_comes_back_is_followed()
    {
        using var reader = new PressureReader(host.Root);
        reader.Read(Now);
        File.Delete(host.Path("/proc/loadavg"));
        Assert.Null(reader.Read(Now).Load1);
        Assert.Equal([("/proc/loadavg", Errno.ENOENT)], reader.Failures.Select(f => (f.Path, f.Result.Errno)));
        host.Write("/proc/loadavg", "9.00 0 0\n");
        Assert.Equal(9, reader.Read(Now).Load1);
        Assert.Empty(reader.Failures);
    }

    [Fact]
    public void What_is_missing_or_makes_no_sense_is_none_and_named()
    {
        Directory.Delete(host.Path("/proc/pressure"), recursive: true);
        File.Delete(host.Path("/sys/devices/system/cpu/online"));
        host.Write("/proc/net/snmp", "Tcp: x\n");
        File.Delete(host.Path("/proc/net/softnet_stat"));
        host.MakeDirectory("/proc/net/softnet_stat");
        File.Delete(host.Path("/proc/loadavg"));
        Assert.Equal(0, FakeRoot.mkfifo(host.Path("/proc/loadavg"), 0x180));
        using var reader = new PressureReader(host.Root);
        var sample = reader.Read(Now);
        Assert.Equal((null, null, null, null, 1), (sample.Io, sample.Cpu, sample.Memory, sample.Tcp, sample.OnlineCpus));
        Assert.Equal((null, null), (sample.SoftirqSqueezes, sample.Load1));
        Assert.Equal(
            [
                ("/proc/pressure/io", Errno.ENOENT), ("/proc/pressure/cpu", Errno.ENOENT), ("/proc/pressure/memory", Errno.ENOENT),
                ("/sys/devices/system/cpu/online", Errno.ENOENT), ("/proc/net/snmp", Errno.EBADMSG), ("/proc/net/softnet_stat", Errno.EISDIR),
            ],
            reader.Failures.Where(f => f.Path != "/proc/loadavg").Select(f => (f.Path, f.Result.Errno)));
    }

    [Fact]
    public void A_file_for_thousands_of_cpus_is_read_whole_and_an_endless_one_is_not()
    {
        var line = $"00000001 00000000 00000002 {string.Join(' ', Enumerable.Repeat("00000000", 12))}\n";
        host.Write("/proc/net/softnet_stat", string.Concat(Enumerable.Repeat(line, 8192)));
        using var reader = new PressureReader(host.Root);
        Assert.Equal(2UL * 8192, reader.Read(Now).SoftirqSqueezes);
        host.Write("/proc/net/softnet_stat", string.Concat(Enumerable.Repeat(line, 20_000)));
        Assert.Null(reader.Read(Now).SoftirqSqueezes);
        Assert.Equal(Errno.EFBIG, Assert.Single(reader.Failures).Result.Errno);
    }

    [Fact]
    public void The_machine_itself_is_read_again_and_again_without_garbage()
    {
        using var reader = new PressureReader(SystemRoot.Host);
        var first = reader.Read(Now);
        Assert.NotNull(first.Load1);
        Assert.NotNull(first.Tcp);
        Assert.InRange(first.OnlineCpus, 1, 8192);
        reader.Read(Now);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var later = reader.Read(Now);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(later.Tcp!.Value.OutSegments >= first.Tcp.Value.OutSegments);
        if (reader.Failures.IsEmpty)
            Assert.Equal(0, allocated);
        if (File.Exists("/proc/pressure/io") && first.Io is { } io)
            Assert.True(later.Io!.Value.Some.Total >= io.Some.Total);
    }
}
