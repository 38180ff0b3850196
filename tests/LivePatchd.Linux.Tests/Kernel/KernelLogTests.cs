// Draining records from a descriptor, and the window that diagnoses are made from.
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Kernel;

namespace LivePatchd.Linux.Tests.Kernel;

public sealed class KernelLogTests
{
    [Fact]
    public void Without_the_device_there_is_a_reason_and_nothing_to_drain()
    {
        using var root = new FakeRoot();
        using var log = new KernelLog(root.Root);
        Assert.Null(log.Fd);
        Assert.Equal(Errno.ENOENT, log.Errno);
        Assert.Equal(0, log.Drain(_ => { }));
    }

    [Fact]
    public void The_log_begins_at_its_end()
    {
        // Of a regular file one read gives all that was added, so exactly one record is added.
        using var root = new FakeRoot();
        var path = root.Write("/dev/kmsg", "6,1,1,-;old\n");
        using var log = new KernelLog(root.Root);
        File.AppendAllText(path, "6,2,2,-;new\n");
        var records = new List<KernelLogRecord>();
        Assert.Equal(1, log.Drain(records.Add));
        Assert.Equal("new", Assert.Single(records).Message);
        Assert.Equal(0, log.Drain(records.Add));
    }

    [Fact]
    public void The_real_device_delivers_what_is_written_to_it()
    {
        const string marker = "livepatchd-test: hello";
        using var log = new KernelLog(SystemRoot.Host);
        if (log.Fd is null)
        {
            Assert.Contains(log.Errno, new[] { Errno.EPERM, Errno.EACCES, Errno.ENOENT });
            Assert.Skip($"/dev/kmsg: {log.Errno}");
        }
        try
        {
            File.WriteAllText("/dev/kmsg", $"<14>{marker}\n");
        }
        catch (UnauthorizedAccessException)
        {
            Assert.Skip("/dev/kmsg cannot be written");
        }
        var seen = new List<KernelLogRecord>();
        log.Drain(seen.Add);
        var mine = Assert.Single(seen, r => r.Message == marker);
        Assert.False(mine.FromKernel);
    }

    [Fact]
    public void The_window_keeps_the_kernels_own_lines_since_a_mark()
    {
        var window = new KernelLogWindow();
        window.Add(Record(10, "before"));
        var mark = window.Mark;
        window.Add(Record(11, "livepatch: symbol 'x' not found in symbol table"));
        window.Add(Record(12, "forged", facility: 1));
        window.Add(Record(13, "after"));
        Assert.Equal(["livepatch: symbol 'x' not found in symbol table", "after"], window.Since(mark));
        Assert.Empty(window.Since(window.Mark));
    }

    [Fact]
    public void The_window_is_bounded()
    {
        var window = new KernelLogWindow();
        for (var i = 0UL; i < 1000; i++)
            window.Add(Record(i, $"{i}"));
        Assert.Equal(KernelLogWindow.Capacity, window.Since(0).Count);
        Assert.Equal("999", window.Since(0)[^1]);
    }

    private static KernelLogRecord Record(ulong sequence, string message, int facility = 0) =>
        new(6, facility, sequence, TimeSpan.Zero, message);
}
