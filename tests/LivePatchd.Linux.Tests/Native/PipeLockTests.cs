// Tokens that end with their holders, and the one descriptor that tells of all of them.
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Tests.Native;

public sealed class PipeLockTests
{
    [Fact]
    public void A_token_that_is_let_go_is_seen_and_the_others_are_not()
    {
        using var watch = new HangUpWatch();
        var locks = Enumerable.Range(0, 40).Select(_ => PipeLock.Create().Value!).ToList();
        for (var i = 0; i < locks.Count; i++)
            Assert.True(watch.Add(locks[i].Watched, (ulong)i + (1UL << 40)).IsOk);
        Assert.Empty(watch.Gone());
        Assert.False(Ready(watch));

        var released = new HashSet<ulong>();
        foreach (var i in Enumerable.Range(0, 40).Where(i => i % 2 == 0))
            locks[i].Token.Dispose();
        Assert.True(Ready(watch));
        // A batch at a time, and each again and again until it is closed.
        while (watch.Gone() is { Length: > 0 } gone)
        {
            foreach (var id in gone)
            {
                Assert.True(released.Add(id));
                locks[(int)(id - (1UL << 40))].Watched.Dispose();
            }
        }
        Assert.Equal(Enumerable.Range(0, 40).Where(i => i % 2 == 0).Select(i => (ulong)i + (1UL << 40)), released.Order());
        Assert.False(Ready(watch));
        locks.ForEach(l => l.Dispose());
    }

    [Fact]
    public void What_is_written_into_a_token_wakes_nobody()
    {
        using var watch = new HangUpWatch();
        using var token = PipeLock.Create().Value!;
        Assert.True(watch.Add(token.Watched, 1).IsOk);
        Assert.True(Sys.Write(token.Token, "hello"u8).IsOk);
        Assert.False(Ready(watch));
        token.Token.Dispose();
        Assert.True(Ready(watch));
        Assert.Equal([1UL], watch.Gone());
    }

    private static bool Ready(HangUpWatch watch)
    {
        Span<bool> ready = stackalloc bool[1];
        Assert.True(Poller.Wait([watch.Fd], ready, TimeSpan.Zero, TimeProvider.System).IsOk);
        return ready[0];
    }
}
