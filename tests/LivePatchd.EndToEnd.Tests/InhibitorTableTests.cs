// How many inhibitors a user may have, by whatever connections, and what is kept free for root.
using LivePatchd.Core.Model;
using LivePatchd.Linux;
using LivePatchd.Linux.Systemd;
using LivePatchd.Log;
using LivePatchd.Loop;

namespace LivePatchd.EndToEnd.Tests;

public sealed class InhibitorTableTests : IDisposable
{
    private static readonly Instant Now = new MonotonicClock(TimeProvider.System).Now();

    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("lp-inhibit-");
    private readonly LogSocket log;
    private readonly JournalSink sink;
    private readonly InhibitorTable table;
    private readonly List<IDisposable> tokens = [];

    public InhibitorTableTests()
    {
        log = new LogSocket(Path.Combine(root.FullName, "run/systemd/journal/socket"));
        sink = new JournalSink(new SystemRoot(root.FullName));
        table = new InhibitorTable(new DaemonLog(sink));
    }

    public void Dispose()
    {
        tokens.ForEach(t => t.Dispose());
        table.Dispose();
        sink.Dispose();
        log.Dispose();
        root.Delete(recursive: true);
    }

    [Fact]
    public void A_user_is_counted_over_all_its_connections()
    {
        for (var i = 0; i < InhibitorTable.MaxPerSender; i++)
            Assert.True(May(1000, $":1.{i}"));
        Assert.False(May(1000, ":1.99"));
        Assert.True(May(1001, ":1.100"));
    }

    [Fact]
    public void What_is_kept_for_root_no_other_users_get_however_many_they_are()
    {
        for (var i = 0; i < InhibitorTable.MaxAll - InhibitorTable.MaxPerSender; i++)
            Assert.True(May((uint)(1000 + (i / InhibitorTable.MaxPerSender)), $":1.{i}"));
        Assert.False(May(2000, ":1.200"));
        for (var i = 0; i < InhibitorTable.MaxPerSender; i++)
            Assert.True(May(0, ":1.500"));
        Assert.False(May(0, ":1.501"));
        Assert.Equal(InhibitorTable.MaxAll, table.Locks.Length);
    }

    private bool May(uint uid, string sender)
    {
        var added = table.Add(new InhibitorLock("program", "why", uid, sender, Now));
        if (!added.IsOk)
        {
            Assert.Equal((Errno.EMFILE, InhibitorTable.Limit), (added.Errno, added.Call));
            return false;
        }
        tokens.Add(added.Value);
        return true;
    }
}
