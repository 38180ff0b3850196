// The bus as the daemon keeps it: what cannot be shown costs one try, and the next snapshot is served.
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Publish;

namespace LivePatchd.Tests.Control;

public sealed class BusServiceTests : IDisposable
{
    private readonly Bench bench = new();

    public void Dispose() => bench.Dispose();

    [Fact]
    public async Task Publish_SnapshotThatCannotBeShown_CostsOneTryOfTheBus()
    {
        using var own = new PrivateBus(bench.Files.Directory);
        own.Start();
        using var bus = new BusService(new DaemonOptions(bench.Root, BusAddress.At(own.Address)), _ => { }, bench.Log, TimeProvider.System, () => { });
        var good = new DaemonSnapshot(
            new HostView("1", "6.12.0", "enforce", "running", null, null, null, null, 1, [], [], 0),
            [], [], [], [], new GatesView(null, "", null, [], null, []), null, "{}", [], Given.Now);
        var trouble = 0;
        bus.Changed += () => Interlocked.Increment(ref trouble);
        bus.Publish(good with { Patches = [null!] });
        await Limit.Until(() => bench.Said.Count("Bug in opening the bus") > 0, () => bench.Said.Text);
        await Limit.Until(() => Volatile.Read(ref trouble) == 1);
        Assert.Equal(Reason.BusUnavailable, bus.Trouble);
        bus.Publish(good);
        await Limit.Until(() => bus.Trouble is null, () => bench.Said.Text);
        using var view = new BusView(own.Connect());
        await Limit.Until(() => view.List().IsOk, () => bench.Said.Text);
    }
}
