// Waiting on several descriptors, being woken from another thread, and running out of time.
using System.Runtime.InteropServices;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Tests.Native;

public sealed class PollerTests
{
    [Fact]
    public void Only_the_rung_descriptor_is_ready()
    {
        using var quiet = new EventFd();
        using var rung = new EventFd();
        rung.Signal();
        rung.Signal();
        var ready = new bool[3];

        var result = Poller.Wait([quiet.Fd, null, rung.Fd], ready, Timeout.InfiniteTimeSpan, TimeProvider.System);

        Assert.Equal(1, result.Value);
        Assert.Equal([false, false, true], ready);
        rung.Drain();
        Assert.Equal(0, Poller.Wait([rung.Fd], ready, TimeSpan.Zero, TimeProvider.System).Value);
        rung.Drain(); // nothing there: does not wait
    }

    [Fact]
    public async Task Another_thread_ends_the_wait()
    {
        using var bell = new EventFd();
        var waiting = Task.Run(() => Poller.Wait([bell.Fd], new bool[1], TimeSpan.FromSeconds(30), TimeProvider.System));
        bell.Signal();
        Assert.Equal(1, (await waiting.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)).Value);
    }

    [Fact]
    public void Time_runs_out()
    {
        using var bell = new EventFd();
        var result = Poller.Wait([bell.Fd], new bool[1], TimeSpan.FromMilliseconds(30.4), TimeProvider.System);
        Assert.True(result.IsOk);
        Assert.Equal(0, result.Value);
    }

    [Fact]
    public void A_closed_handle_is_a_bug_of_the_caller()
    {
        var bell = new EventFd();
        bell.Dispose();
        SafeHandle[] handles = [bell.Fd];
        Assert.Throws<ObjectDisposedException>(() => Poller.Wait(handles, new bool[1], TimeSpan.Zero, TimeProvider.System));
    }

    [Fact]
    public void Urgent_is_not_readable_and_a_closed_end_is_broken()
    {
        using var rung = new EventFd();
        rung.Signal();
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        pipe.DisposeLocalCopyOfClientHandle();
        var outcomes = new PollOutcome[3];

        var result = Poller.Wait([rung.Fd, rung.Fd, pipe.SafePipeHandle], [true], outcomes, TimeSpan.Zero, TimeProvider.System);

        Assert.Equal(2, result.Value);
        Assert.Equal([PollOutcome.Quiet, PollOutcome.Ready, PollOutcome.Broken], outcomes);
    }
}
