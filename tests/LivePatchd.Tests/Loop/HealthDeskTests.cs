// What systemd is asked for probations: failed units before a load and when one fails, rounds of checks, and never waited for.
using System.Collections.Immutable;
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

[Collection("systemd")]
public sealed class HealthDeskTests(SharedBus bus) : IDisposable
{
    private readonly Bench bench = new();
    private readonly List<IDisposable> parts = [];
    private int rings;

    public void Dispose()
    {
        parts.Reverse();
        parts.ForEach(p => p.Dispose());
        bench.Dispose();
    }

    private FakeSystemd Systemd()
    {
        var systemd = new FakeSystemd(bus.Bus);
        parts.Add(systemd);
        return systemd;
    }

    private HealthDesk Desk(bool nobody = false)
    {
        var address = nobody ? $"unix:path={bench.Files.Path("/nobody")}" : bus.Address;
        var desk = new HealthDesk(BusAddress.At(address), bench.Root, bench.Clock, () => Interlocked.Increment(ref rings), bench.Log);
        parts.Add(desk);
        return desk;
    }

    private async Task Rung(HealthDesk desk, int times = 1)
    {
        await Limit.Until(() => Volatile.Read(ref rings) >= times, () => bench.Said.Text);
        desk.Collect([Given.One], bench.Now);
    }

    private ImmutableArray<DueRound> Round(params string[] required) => [new(Given.One, bench.Now, [.. required.Select(u => new CheckUnit(u, Required: true))])];

    [Fact]
    public async Task MayLoad_SystemdAnswers_OnceItHasAndForTenSeconds()
    {
        using var systemd = Systemd();
        systemd.Fail("old.service");
        var desk = Desk();
        Assert.False(desk.MayLoad(bench.Now));
        Assert.Equal(bench.Now.After(HealthDesk.ListingPatience), desk.ListingDue);
        await Rung(desk);
        Assert.True(desk.MayLoad(bench.Now));
        Assert.Null(desk.ListingDue);
        Assert.Equal(["old.service"], desk.Failed!.Value);
        bench.Time.Skip(TimeSpan.FromSeconds(10));
        Assert.False(desk.MayLoad(bench.Now));
        await Rung(desk, 2);
        Assert.Equal(2, systemd.Listings);
    }

    [Fact]
    public void MayLoad_SystemdIsSilent_WithoutUnitsAfterThreeSeconds()
    {
        using var systemd = Systemd();
        systemd.Silent = true;
        var desk = Desk();
        Assert.False(desk.MayLoad(bench.Now));
        bench.Time.Skip(HealthDesk.ListingPatience - TimeSpan.FromTicks(1));
        Assert.False(desk.MayLoad(bench.Now));
        bench.Time.Skip(TimeSpan.FromTicks(1));
        Assert.True(desk.MayLoad(bench.Now));
        Assert.Null(desk.Failed);
    }

    [Fact]
    public async Task MayLoad_NoSystemd_KnownAsUnknown()
    {
        var desk = Desk(nobody: true);
        Assert.False(desk.MayLoad(bench.Now));
        await Rung(desk);
        Assert.True(desk.MayLoad(bench.Now));
        Assert.Null(desk.Failed);
    }

    [Fact]
    public async Task Begin_Round_ResultsOnceAndItsBegin()
    {
        using var systemd = Systemd();
        systemd.Ends("good.service", UnitEnd.Passes);
        systemd.Ends("bad.service", UnitEnd.Fails);
        var desk = Desk();
        var began = bench.Now;
        Assert.Null(desk.Begin(Round("good.service", "bad.service"), null, began));
        await Rung(desk);
        Assert.Equal([("good.service", true), ("bad.service", false)], desk.Results.Select(r => (r.Unit.Name, r.Passed)));
        Assert.Equal(began, desk.CheckedAt[Given.One]);
        Assert.Equal(1, bench.Said.Count("Health check bad.service"));
        Assert.NotNull(desk.Failed);
        desk.Collect([Given.One], bench.Now);
        Assert.Empty(desk.Results);
        desk.Collect([], bench.Now);
        Assert.Empty(desk.CheckedAt);
    }

    [Fact]
    public async Task Begin_RequiredServiceCannotBeStarted_NoResultAndTriedAgainLater()
    {
        using var systemd = Systemd();
        var desk = Desk();
        desk.Begin(Round("absent.service"), null, bench.Now);
        await Rung(desk);
        Assert.Empty(desk.Results);
        Assert.Empty(desk.CheckedAt);
        Assert.Equal(bench.Now.After(TimeSpan.FromSeconds(30)), desk.Begin(Round("absent.service"), null, bench.Now));
        Assert.Single(systemd.Started);
        bench.Time.Skip(TimeSpan.FromSeconds(30));
        desk.Begin(Round("absent.service"), null, bench.Now);
        await Rung(desk, 2);
        Assert.Equal(2, systemd.Started.Count);
    }

    [Fact]
    public void Begin_NothingDue_WhenTheNextFallsDue()
    {
        var desk = Desk(nobody: true);
        var later = bench.Now.After(TimeSpan.FromMinutes(5));
        Assert.Equal(later, desk.Begin([], later, bench.Now));
        Assert.Null(desk.Begin([], bench.Now, bench.Now));
        Assert.Null(desk.Begin([], null, bench.Now));
    }

    [Fact]
    public async Task Follow_UnitsFail_ListedAtOnceAndThenOnceASecond()
    {
        using var systemd = Systemd();
        var desk = Desk();
        Assert.Null(desk.Follow(wanted: true, bench.Now));
        // Whoever begins to listen looks once.
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        Assert.Null(desk.Follow(true, bench.Now));
        await Rung(desk, 2);
        systemd.Fail("web.service");
        systemd.Says("web.service", "failed");
        await Limit.Until(() => Volatile.Read(ref rings) == 3);
        Assert.Equal(bench.Now.After(TimeSpan.FromSeconds(1)), desk.Follow(true, bench.Now));
        bench.Time.Skip(TimeSpan.FromSeconds(1));
        Assert.Null(desk.Follow(true, bench.Now));
        await Rung(desk, 4);
        Assert.Equal(["web.service"], desk.Failed!.Value);
        Assert.Equal(2, systemd.Listings);
    }

    [Fact]
    public void Follow_NotWanted_NobodyListens()
    {
        using var systemd = Systemd();
        Assert.Null(Desk().Follow(wanted: false, bench.Now));
        Assert.Equal(0, systemd.Subscriptions);
    }

    [Fact]
    public void ReadUnits_NoDirectory_NoneAndNoWord()
    {
        Assert.Empty(Desk(nobody: true).ReadUnits());
        Assert.Equal("", bench.Said.Text);
    }

    [Fact]
    public void ReadUnits_EntryThatIsNoService_ToldOnce()
    {
        bench.Files.Write("/etc/livepatchd/health.d/required.d/not-a-unit", "");
        bench.Files.Write("/etc/livepatchd/health.d/required.d/db.service", "");
        bench.Files.Write("/etc/livepatchd/health.d/wanted.d/cache.service", "");
        var desk = Desk(nobody: true);
        Assert.Equal([new CheckUnit("db.service", Required: true), new CheckUnit("cache.service", Required: false)], desk.ReadUnits());
        desk.ReadUnits();
        Assert.Equal(1, bench.Said.Count("not-a-unit: not the name of a service; left out"));
    }
}
