// The table of mounts: waited for until it changes, and not more often than once a second.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Watch;

namespace LivePatchd.Linux.Tests.Watch;

public sealed class MountWatchTests : IDisposable
{
    private static Instant At(double second) => new(TimeSpan.FromSeconds(second), DateTimeOffset.UnixEpoch.AddSeconds(second));

    private readonly FakeRoot root = new();

    public void Dispose() => root.Dispose();

    [Fact]
    public void Drain_Rung_TrueOnceAndQuietForASecond()
    {
        root.Write("/proc/self/mountinfo", "24 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
        using var watch = new MountWatch(root.Root);
        Assert.NotNull(watch.Fd(At(1)));
        Assert.False(watch.Drain(At(1)));
        watch.Rung();
        Assert.True(watch.Drain(At(1)));
        Assert.False(watch.Drain(At(1)));
        Assert.Null(watch.Fd(At(1.9)));
        Assert.Equal(At(2), watch.Due(At(1.9)));
        Assert.NotNull(watch.Fd(At(2)));
        Assert.Null(watch.Due(At(2)));
    }

    [Fact]
    public void Fd_NoTable_None()
    {
        using var watch = new MountWatch(root.Root);
        Assert.Null(watch.Fd(At(1)));
        Assert.False(watch.Drain(At(1)));
    }

    [Fact]
    public void Fd_RealTable_QuietWhileNothingIsMounted()
    {
        using var watch = new MountWatch(SystemRoot.Host);
        Span<PollOutcome> outcomes = stackalloc PollOutcome[1];
        var waited = Poller.Wait([watch.Fd(At(1))], [true], outcomes, TimeSpan.FromMilliseconds(20), TimeProvider.System);
        Assert.True(waited.IsOk);
        // Somebody else on the machine may mount; it is never readable in the plain sense, which would make the loop spin.
        Assert.NotEqual(PollOutcome.Ready, outcomes[0]);
    }
}
