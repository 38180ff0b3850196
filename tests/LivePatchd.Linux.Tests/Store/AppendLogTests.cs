// The append-only file: whole records, failures undone, replaced and set aside.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Tests.Store;

public sealed class AppendLogTests : IDisposable
{
    private const string LogPath = "/var/lib/livepatchd/state/journal";

    private readonly FakeRoot root = new();

    public void Dispose() => root.Dispose();

    [Fact]
    public void Records_follow_each_other_across_reopening()
    {
        using (var log = new AppendLog(root.Root, LogPath))
        {
            Assert.Empty(log.ReadAll().Value!);
            Assert.True(log.Append("one\n"u8).IsOk);
            Assert.True(log.Append("two\n"u8).IsOk);
        }
        using var again = new AppendLog(root.Root, LogPath);
        Assert.True(again.Append("three\n"u8).IsOk);
        Assert.Equal("one\ntwo\nthree\n"u8.ToArray(), again.ReadAll().Value);
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(root.Path(LogPath)));
        Assert.Equal((UnixFileMode)0x1C0, File.GetUnixFileMode(root.Path("/var/lib/livepatchd/state")));
    }

    [Fact]
    public void A_replaced_log_goes_on()
    {
        using var log = new AppendLog(root.Root, LogPath);
        Assert.True(log.Append("one"u8).IsOk);
        Assert.True(log.Replace("compact"u8).IsOk);
        Assert.True(log.Append("+"u8).IsOk);
        Assert.Equal("compact+"u8.ToArray(), log.ReadAll().Value);
        Assert.Single(Directory.GetFiles(root.Path("/var/lib/livepatchd/state")));
    }

    [Fact]
    public void A_log_can_be_replaced_before_its_first_record()
    {
        using var log = new AppendLog(root.Root, LogPath);
        Assert.True(log.Replace("x"u8).IsOk);
        Assert.Equal("x"u8.ToArray(), log.ReadAll().Value);
    }

    [Fact]
    public void A_damaged_log_is_set_aside_and_a_new_one_begins()
    {
        using var log = new AppendLog(root.Root, LogPath);
        Assert.True(log.Append("damaged"u8).IsOk);
        Assert.True(log.SetAside(".damaged").IsOk);
        Assert.Empty(log.ReadAll().Value!);
        Assert.True(log.Append("new"u8).IsOk);
        Assert.Equal("new"u8.ToArray(), log.ReadAll().Value);
        Assert.Equal("damaged", File.ReadAllText(root.Path(LogPath + ".damaged")));
        Assert.Equal(Errno.ENOENT, new AppendLog(root.Root, LogPath + "2").SetAside(".x").Errno);
    }

    [Fact]
    public void A_copy_is_set_aside_over_an_older_one_and_the_log_goes_on()
    {
        using var log = new AppendLog(root.Root, LogPath);
        Assert.True(log.Append("one"u8).IsOk);
        Assert.True(log.CopyAside("older"u8, ".damaged").IsOk);
        Assert.True(log.CopyAside("damaged"u8, ".damaged").IsOk);
        Assert.True(log.Append("+"u8).IsOk);
        Assert.Equal("one+"u8.ToArray(), log.ReadAll().Value);
        Assert.Equal("damaged", File.ReadAllText(root.Path(LogPath + ".damaged")));
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(root.Path(LogPath + ".damaged")));
    }

    [Fact]
    public void What_does_not_fit_is_refused_and_leaves_nothing()
    {
        using var log = new AppendLog(root.Root, LogPath);
        Assert.True(log.Append("one"u8).IsOk);
        Assert.Equal(Errno.EFBIG, log.Append(new byte[AppendLog.MaxSize]).Errno);
        Assert.Equal("one"u8.ToArray(), log.ReadAll().Value);
        using (var file = File.OpenWrite(root.Path(LogPath)))
            file.SetLength(AppendLog.MaxSize + 1L);
        Assert.Equal(Errno.EFBIG, log.ReadAll().Errno);
    }

    [Fact]
    public void A_link_in_the_logs_place_is_not_followed()
    {
        root.MakeDirectory("/var/lib/livepatchd/state");
        File.CreateSymbolicLink(root.Path(LogPath), root.Path("/elsewhere"));
        using var log = new AppendLog(root.Root, LogPath);
        Assert.Equal(Errno.ELOOP, log.Append("x"u8).Errno);
        Assert.Equal(Errno.ELOOP, log.ReadAll().Errno);
    }

    [Fact]
    public void A_full_file_system_leaves_the_log_as_it_was()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("only root can mount");
        root.MakeDirectory("/var/lib/livepatchd/state");
        var mountPoint = root.Path("/var/lib/livepatchd/state");
        if (FakeRoot.mount("tmpfs", mountPoint, "tmpfs", 0, "size=64k,mode=700") != 0)
            Assert.Skip("this environment does not let root mount");
        try
        {
            using var log = new AppendLog(root.Root, LogPath);
            Assert.True(log.Append("one\n"u8).IsOk);
            Assert.Equal(Errno.ENOSPC, log.Append(new byte[200_000]).Errno);
            Assert.Equal("one\n"u8.ToArray(), log.ReadAll().Value);
            Assert.True(log.Append("two\n"u8).IsOk);
            Assert.Equal("one\ntwo\n"u8.ToArray(), log.ReadAll().Value);
            Assert.Equal(Errno.ENOSPC, log.Replace(new byte[200_000]).Errno);
            Assert.Equal("one\ntwo\n"u8.ToArray(), log.ReadAll().Value);
            Assert.True(log.Append("three\n"u8).IsOk);
            Assert.Single(Directory.GetFiles(mountPoint));
        }
        finally
        {
            Assert.Equal(0, FakeRoot.umount2(mountPoint, 2));
        }
    }

    [Fact]
    public void A_log_that_is_no_file_is_refused_without_waiting()
    {
        root.MakeDirectory("/var/lib/livepatchd/state");
        Assert.Equal(0, FakeRoot.mkfifo(root.Path(LogPath), 0x180));
        using var log = new AppendLog(root.Root, LogPath);
        Assert.False(log.Append("x"u8).IsOk);
        Assert.Equal(Errno.EINVAL, log.ReadAll().Errno);
    }

    [Fact]
    public void Atomic_writes_replace_and_leave_no_trace_of_failure()
    {
        var path = root.Path("/file");
        Assert.True(AtomicFile.Write(path, "one"u8, 0x180).IsOk);
        Assert.True(AtomicFile.Write(path, "two"u8, 0x1A4).IsOk);
        Assert.Equal("two", File.ReadAllText(path));
        Assert.Equal((UnixFileMode)0x1A4, File.GetUnixFileMode(path));
        root.MakeDirectory("/taken/x");
        Assert.False(AtomicFile.Write(root.Path("/taken"), "x"u8, 0x180).IsOk);
        Assert.False(AtomicFile.Write(root.Path("/missing/x"), "x"u8, 0x180).IsOk);
        Assert.Equal(["file", "taken"], Directory.GetFileSystemEntries(root.Directory).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void One_instance_holds_the_lock()
    {
        var first = new InstanceLock(root.Root);
        using var second = new InstanceLock(root.Root);
        Assert.True(first.TryAcquire().IsOk);
        Assert.True(first.TryAcquire().IsOk);
        Assert.Equal(Errno.EAGAIN, second.TryAcquire().Errno);
        // Not by .NET's file classes: they lock what they open.
        using (var file = Sys.Open(root.Path("/run/livepatchd/lock"), LibC.ReadOnly).Value!)
        {
            var content = new byte[32];
            var length = Sys.Read(file, content).Value;
            Assert.Equal($"{Environment.ProcessId}\n", Encoding.ASCII.GetString(content, 0, length));
        }
        first.Dispose();
        Assert.True(second.TryAcquire().IsOk);
    }
}
