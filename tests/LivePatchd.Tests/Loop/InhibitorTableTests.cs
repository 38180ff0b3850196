// How many inhibitors a user may have, by whatever connections, what is kept free for root, and how each one ends.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class InhibitorTableTests : IDisposable
{
    private readonly Bench bench = new();
    private readonly InhibitorTable table;
    private readonly List<IDisposable> tokens = [];

    public InhibitorTableTests() => table = new InhibitorTable(bench.Log);

    public void Dispose()
    {
        tokens.ForEach(t => t.Dispose());
        table.Dispose();
        bench.Dispose();
    }

    [Fact]
    public void Add_ManyConnectionsOfOneUser_CountedTogether()
    {
        for (var i = 0; i < InhibitorTable.MaxPerSender; i++)
            Assert.True(May(1000, $":1.{i}"));
        Assert.False(May(1000, ":1.99"));
        Assert.True(May(1001, ":1.100"));
    }

    [Fact]
    public void Add_ManyUsers_LeaveWhatIsKeptForRoot()
    {
        for (var i = 0; i < InhibitorTable.MaxAll - InhibitorTable.MaxPerSender; i++)
            Assert.True(May((uint)(1000 + (i / InhibitorTable.MaxPerSender)), $":1.{i}"));
        Assert.False(May(2000, ":1.200"));
        for (var i = 0; i < InhibitorTable.MaxPerSender; i++)
            Assert.True(May(0, ":1.500"));
        Assert.False(May(0, ":1.501"));
        Assert.Equal(InhibitorTable.MaxAll, table.Locks.Length);
    }

    [Fact]
    public void Sweep_HolderLetsGo_LockIsForgottenAndFdRings()
    {
        Assert.True(May(1000, ":1.1"));
        Assert.True(May(1001, ":1.2"));
        Assert.False(Rings());
        tokens[0].Dispose();
        Assert.True(Rings());
        table.Sweep(Given.Now);
        Assert.Equal(1001u, Assert.Single(table.Locks).Uid);
        Assert.False(Rings());
        Assert.Equal(1, bench.Said.Count("No longer inhibited by program (uid 1000)"));
    }

    [Fact]
    public void Sweep_TokenNeverHandedOver_ClosedAfterHalfAMinute()
    {
        Assert.True(May(1000, ":1.1"));
        table.Sweep(Given.At(29));
        Assert.Single(table.Locks);
        table.Sweep(Given.At(30));
        Assert.Empty(table.Locks);
    }

    [Fact]
    public void Locks_OldestFirst_Whoever()
    {
        for (var i = 0; i < 12; i++)
            Assert.True(May((uint)(1000 - i), $":1.{i}"));
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $":1.{i}"), table.Locks.Select(l => l.Sender));
    }

    [Fact]
    public void Add_RoomAfterRelease_Taken()
    {
        for (var i = 0; i < InhibitorTable.MaxPerSender; i++)
            Assert.True(May(1000, ":1.1"));
        tokens[3].Dispose();
        table.Sweep(Given.Now);
        Assert.True(May(1000, ":1.1"));
        Assert.False(May(1000, ":1.1"));
    }

    private bool Rings()
    {
        Span<bool> ready = [false];
        Assert.True(Poller.Wait([table.Fd], ready, TimeSpan.Zero, TimeProvider.System).IsOk);
        return ready[0];
    }

    private bool May(uint uid, string sender)
    {
        var added = table.Add(new InhibitorLock("program", "why", uid, sender, Given.Now));
        if (!added.IsOk)
        {
            Assert.Equal((Errno.EMFILE, InhibitorTable.Limit), (added.Errno, added.Call));
            return false;
        }
        tokens.Add(added.Value);
        return true;
    }
}
