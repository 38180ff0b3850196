// The clock that nobody sets does not ring; that setting it does is shown on a real machine (VM scenario 85).
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Tests.Native;

public sealed class ClockWatchTests
{
    [Fact]
    public void Fd_NobodySetsTheClock_Quiet()
    {
        using var clock = new ClockWatch();
        Assert.NotNull(clock.Fd);
        Span<PollOutcome> outcomes = stackalloc PollOutcome[1];
        Assert.Equal(0, Poller.Wait([clock.Fd], [], outcomes, TimeSpan.FromMilliseconds(20), TimeProvider.System).Value);
        Assert.Equal(PollOutcome.Quiet, outcomes[0]);
        Assert.False(clock.Drain());
    }
}
