// Whether the host has finished booting: systemd's word by the bus or at its own door, and the clock where nobody can tell.
using LivePatchd.Bus;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Loop;
using LivePatchd.Systemd;

namespace LivePatchd.Tests.Systemd;

public sealed class BootWatchTests : IDisposable
{
    private static readonly TimeSpan Wait = TimeSpan.FromMinutes(10);

    private readonly Bench bench = new();
    private readonly Scarcity scarcity = new();

    // One minute after the boot.
    private readonly SkippingTime time = new() { Uptime = TimeSpan.FromMinutes(1) - TimeProvider.System.GetElapsedTime(0) };
    private readonly MonotonicClock clock;

    public BootWatchTests() => clock = new MonotonicClock(time);

    public void Dispose() => bench.Dispose();

    private BusAddress Nobody => BusAddress.At($"unix:path={bench.Files.Path("/nobody")}");

    [Fact]
    public void IsComplete_ThreadRefused_ClockDecides()
    {
        using var boot = new BootWatch(bench.Root, Nobody, clock, () => { }, bench.Log, scarcity.Start);
        boot.Start();
        Assert.True(boot.IsKnown);
        Assert.False(boot.IsComplete(clock.Now(), Wait));
        Assert.NotNull(boot.Due(clock.Now(), Wait));
        Assert.Equal(2, scarcity.Refused);
        time.Skip(Wait);
        Assert.True(boot.IsComplete(clock.Now(), Wait));
        Assert.Null(boot.Due(clock.Now(), Wait));
    }

    [Fact]
    public async Task Due_ThreadHadLater_SystemdIsAsked()
    {
        using var systemd = new FakePrivateSocket(bench.Root, finished: 1);
        using var boot = new BootWatch(bench.Root, Nobody, clock, () => { }, bench.Log, scarcity.Start);
        boot.Start();
        scarcity.Is = false;
        Assert.NotNull(boot.Due(clock.Now(), Wait));
        await Limit.Until(() => boot.IsComplete(clock.Now(), Wait));
    }

    [Fact]
    public async Task Start_NobodyAnswers_KnownAndSilentAndRings()
    {
        var rings = 0;
        using var boot = new BootWatch(bench.Root, Nobody, clock, () => Interlocked.Increment(ref rings), bench.Log);
        Assert.False(boot.IsKnown);
        boot.Start();
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        Assert.True(boot.IsKnown);
        Assert.False(boot.IsComplete(clock.Now(), Wait));
        var now = clock.Now();
        Assert.Equal(Wait, boot.Due(now, Wait)!.Value.Monotonic);
    }

    [Fact]
    public async Task Start_StillBooting_CompleteBySignalOrAfterTheWait()
    {
        using var own = new PrivateBus(bench.Files.Directory);
        own.Start();
        using var systemd = new FakeSystemd(own);
        systemd.Boots(began: TimeSpan.FromMinutes(2), jobs: ["multi-user.target/start/waiting", "hangs.service/start/running", "later.service/start/running"]);
        var rings = 0;
        using var boot = new BootWatch(bench.Root, BusAddress.At(own.Address), clock, () => Interlocked.Increment(ref rings), bench.Log);
        boot.Start();
        await Limit.Until(() => boot.IsKnown);
        Assert.Equal("hangs.service/start", boot.Holder);
        var now = clock.Now();
        Assert.False(boot.IsStuck(now, Wait));
        // From the beginning of userspace, not of the kernel.
        Assert.Equal(TimeSpan.FromMinutes(12), boot.Due(now, Wait)!.Value.Monotonic);
        time.Skip(Wait);
        Assert.False(boot.IsComplete(clock.Now(), Wait));
        time.Skip(TimeSpan.FromMinutes(2));
        Assert.True(boot.IsComplete(clock.Now(), Wait));
        Assert.True(boot.IsStuck(clock.Now(), Wait));
        Assert.True(boot.IsStuck(clock.Now(), Wait));
        Assert.Equal(1, bench.Said.Count("it waits for hangs.service/start"));
        Assert.Null(boot.Due(clock.Now(), Wait));
        systemd.HasBooted();
        await Limit.Until(() => Volatile.Read(ref rings) == 2);
        Assert.False(boot.IsStuck(clock.Now(), Wait));
        Assert.Null(boot.Holder);
    }
}
