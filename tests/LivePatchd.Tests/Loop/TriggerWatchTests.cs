// The kernel's pressure triggers while somebody waits: where it gives none, that is told once, and readings have to do.
using LivePatchd.Core.Config;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Linux;
using LivePatchd.Linux.Native;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class TriggerWatchTests : IDisposable
{
    private readonly Bench bench = new();

    public void Dispose() => bench.Dispose();

    [Fact]
    public void Want_KernelRefuses_ToldOnceAndNothingIsArmed()
    {
        using var watch = new TriggerWatch(bench.Root, bench.Log);
        Assert.False(watch.AreArmed);
        var wanted = PressureTrigger.For(GateSettings.Default);
        watch.Want(wanted);
        watch.Want([]);
        watch.Want(wanted);
        Assert.False(watch.AreArmed);
        Assert.Empty(watch.Armed);
        Assert.Equal(1, bench.Said.Count("refuses pressure triggers (IoPressure: write: EXDEV)"));
    }

    [Fact]
    public void Want_NothingToRingFor_EveryMarkRings()
    {
        using var watch = new TriggerWatch(bench.Root, bench.Log);
        watch.Want(PressureTrigger.For(GateSettings.Default));
        Assert.False(watch.AreArmed);
        // Marks that are never exceeded need no trigger.
        watch.Want([]);
        Assert.True(watch.AreArmed);
    }

    [Fact]
    public void Collect_NothingArmed_NothingFired()
    {
        using var watch = new TriggerWatch(bench.Root, bench.Log);
        Assert.False(watch.Collect([]));
        Assert.Empty(watch.TakeFired());
    }

    [Fact]
    public void Collect_RealTriggers_FiredOnceAndBrokenOnesLetGo()
    {
        using var watch = new TriggerWatch(SystemRoot.Host, bench.Log);
        watch.Want(PressureTrigger.For(GateSettings.Default));
        Assert.SkipUnless(watch.AreArmed, "this kernel gives no triggers here");
        var all = watch.Armed.Length;
        var outcomes = new PollOutcome[all];
        Assert.False(watch.Collect(outcomes));
        outcomes[0] = PollOutcome.Ready;
        Assert.True(watch.Collect(outcomes));
        Assert.True(watch.Collect(outcomes));
        Assert.Equal([watch.Armed[0].Trigger], watch.TakeFired());
        Assert.Empty(watch.TakeFired());
        outcomes[0] = PollOutcome.Broken;
        Assert.True(watch.Collect(outcomes));
        Assert.Equal((all - 1, false), (watch.Armed.Length, watch.AreArmed));
        watch.Want([]);
        Assert.Empty(watch.Armed);
    }
}
