// Units that fail between two rounds of checks: heard of at once while a patch is on probation, and by nobody else.
namespace LivePatchd.EndToEnd.Tests;

public sealed class UnitWatchTests
{
    private const string Refusal = "noticed in the rounds of checks only";
    private static readonly Patch One = new("lp_one");

    private static TestHost Host()
    {
        var host = new TestHost();
        host.Configure("", soak: "duration: 1h");
        return host;
    }

    /// <summary>All rounds but the last are over, which is 40 minutes away, and what they brought up has been looked at.</summary>
    private static async Task InMidSoak(TestHost host, FakeSystemd systemd)
    {
        host.Drop(One);
        await host.Becomes("lp_one", "soaking");
        // Before the load, in the first round, and when somebody began to listen.
        await Limit.Until(() => systemd.Listings >= 3, () => $"{systemd.Listings} listings. {host.Log.Text}");
        var before = systemd.Listings;
        host.Time.Skip(TimeSpan.FromMinutes(20));
        host.Barrier();
        await Limit.Until(() => systemd.Listings > before, () => host.Log.Text);
        host.Barrier();
    }

    private static int Connections(TestHost host)
    {
        using var bus = host.Bus.Connect();
        return BusView.Value(bus.Call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames", Limit.Call, null, "as", static r => r.ReadStrings()))
            .Count(n => n.StartsWith(':'));
    }

    [Fact]
    public async Task A_unit_that_fails_long_before_the_next_round_takes_the_patch_out()
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus);
        await host.Start();
        systemd.Fail("old.service");
        await InMidSoak(host, systemd);
        Assert.Equal("soaking", host.View.Find("lp_one")!.State);
        systemd.Fail("old.service", "web.service");
        systemd.Says("web.service", "failed");
        await host.Becomes("lp_one", "held", "suspected");
        Assert.False(host.Kernel.Has("lp_one"));
        var detail = (string)host.View.Patch("lp_one")["Detail"];
        Assert.Contains("web.service", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("old.service", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_unit_that_failed_before_the_load_is_not_blamed_on_it_though_nobody_had_listed_it()
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus);
        await host.Start();
        var before = (ulong)host.Time.GetElapsedTime(0).TotalMicroseconds;
        await InMidSoak(host, systemd);
        systemd.Knows("web.service", changed: before, up: 1);
        systemd.Knows("late.service", changed: (ulong)host.Time.GetElapsedTime(0).TotalMicroseconds, up: 1, transient: true);
        systemd.Fail("web.service", "late.service");
        systemd.Says("web.service", "failed");
        await Limit.Until(() => host.Log.Count("a coincidence, its soak is prolonged: failed: late.service; ") == 1, () => host.Log.Text);
        Assert.Equal("soaking", host.View.Find("lp_one")!.State);
    }

    [Fact]
    public async Task Nobody_listens_while_nothing_is_on_probation()
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus);
        await host.Start();
        host.Barrier();
        await Limit.Until(() => systemd.Subscriptions == 1, () => $"the boot is not asked for. {host.Log.Text}");
        var most = 0;
        await Limit.Until(() => Connections(host) is var now && now == most || (most = now) < 0, () => $"{most} connections");
        var rest = most;
        await InMidSoak(host, systemd);
        await Limit.Until(() => Connections(host) == rest + 1, () => $"{rest} at rest, {Connections(host)} in the soak");
        Assert.True(host.View.Confirm("lp_one").IsOk);
        await host.Becomes("lp_one", "active");
        await Limit.Until(() => Connections(host) == rest, () => $"{rest} at rest, {Connections(host)} after the soak");
        var (listings, subscriptions) = (systemd.Listings, systemd.Subscriptions);
        systemd.Fail("web.service");
        systemd.Says("web.service", "failed");
        host.Barrier();
        Assert.Equal((listings, subscriptions, "active"), (systemd.Listings, systemd.Subscriptions, host.View.Find("lp_one")!.State));
    }

    [Fact]
    public async Task However_many_units_fail_they_are_listed_once_a_second_at_most()
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus);
        await host.Start();
        await InMidSoak(host, systemd);
        var (before, began) = (systemd.Listings, host.Time.GetTimestamp());
        for (var i = 0; i < 2000; i++)
            systemd.Says($"unit-{i % 50}.service", i % 2 == 0 ? "failed" : "activating");
        host.Barrier();
        await Limit.Until(() => systemd.Listings > before, () => host.Log.Text);
        Assert.InRange(systemd.Listings - before, 1, 2 + (int)host.Time.GetElapsedTime(began).TotalSeconds);
        // None of them is in the list: a word alone is no evidence.
        Assert.Equal("soaking", host.View.Find("lp_one")!.State);
        systemd.Fail("web.service");
        systemd.Says("web.service", "failed");
        await host.Becomes("lp_one", "held", "suspected");
    }

    [Fact]
    public async Task Where_systemd_does_not_let_itself_be_listened_to_the_rounds_remain_and_it_is_said_once()
    {
        await using var host = Host();
        using var systemd = new FakeSystemd(host.Bus) { Deaf = true };
        await host.Start();
        host.Drop(One);
        await host.Becomes("lp_one", "soaking");
        await Limit.Until(() => host.Log.Count(Refusal) == 1, () => host.Log.Text);
        // Also of the boot's end, and of the round's jobs.
        await Limit.Until(() => systemd.Subscriptions == 3, () => $"{systemd.Subscriptions} subscriptions. {host.Log.Text}");
        for (var i = 0; i < 5; i++)
            host.Barrier();
        Assert.Equal(3, systemd.Subscriptions);
        foreach (var tries in new[] { 5, 7 })
        {
            // Whoever begins to wait only after a skip waits for the next one; the soak is far longer than all of them.
            var polls = 0;
            await Limit.Until(
                () =>
                {
                    if (systemd.Subscriptions >= tries)
                        return true;
                    if (polls++ % 20 != 0)
                        return false;
                    host.Time.Skip(TimeSpan.FromMinutes(2));
                    host.Barrier();
                    return false;
                },
                () => $"{systemd.Subscriptions} subscriptions. {host.Log.Text}");
        }
        systemd.Fail("web.service");
        host.Time.Skip(TimeSpan.FromMinutes(10));
        host.Barrier();
        await host.Becomes("lp_one", "held", "suspected");
        Assert.Equal(1, host.Log.Count(Refusal));
    }

    [Fact]
    public async Task After_systemd_was_away_it_is_listened_to_again_from_the_next_round_on()
    {
        await using var host = Host();
        using (var first = new FakeSystemd(host.Bus))
        {
            await host.Start();
            host.Drop(One);
            await host.Becomes("lp_one", "soaking");
            await Limit.Until(() => first.Listings >= 3, () => host.Log.Text);
        }
        await Limit.Until(() => host.Log.Count(Refusal) == 1, () => host.Log.Text);
        using var systemd = new FakeSystemd(host.Bus);
        host.Barrier();
        Assert.Equal(0, systemd.Subscriptions);
        host.Time.Skip(TimeSpan.FromMinutes(20));
        host.Barrier();
        // For the round's jobs, and to listen.
        await Limit.Until(() => systemd.Subscriptions == 2 && systemd.Listings >= 2, () => $"{systemd.Subscriptions} subscriptions, {systemd.Listings} listings. {host.Log.Text}");
        host.Barrier();
        Assert.Equal("soaking", host.View.Find("lp_one")!.State);
        systemd.Fail("web.service");
        systemd.Says("web.service", "failed");
        await host.Becomes("lp_one", "held", "suspected");
    }
}
