// The loop as a whole, with no bus around it: what is dropped is loaded, what it has done stays when it ends, and a bug in a step is no end.
using LivePatchd.Core.Model;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class ReconcilerTests : IDisposable
{
    private static readonly Patch One = new("lp_one");

    private readonly LoopBench loop = new();

    public void Dispose() => loop.Dispose();

    [Fact]
    public async Task Start_FileIsThere_LoadedAndShown()
    {
        loop.Drop(One);
        await loop.Start();
        await loop.Until(() => loop.State("lp_one") == "Active");
        Assert.Equal(["load lp_one ok"], loop.Kernel.Calls);
        Assert.Null(loop.Shown!.Host.Reason);
    }

    [Fact]
    public async Task Stop_PatchLoaded_KernelIsLeftAsItIsAndTheNextRunOwnsIt()
    {
        loop.Drop(One);
        await loop.Start();
        await loop.Until(() => loop.State("lp_one") == "Active");
        loop.Stop();
        Assert.True(loop.Kernel.Has("lp_one"));
        await loop.Start();
        await loop.Until(() => loop.State("lp_one") == "Active");
        Assert.Equal("daemon", loop.Shown!.Patches[0].Origin);
        Assert.Equal(["load lp_one ok"], loop.Kernel.Calls);
    }

    [Fact]
    public async Task Stop_CallInsideTheKernel_NotWaitedForAndFoundByTheNextRun()
    {
        await loop.Start();
        loop.Kernel.LoadGate.Reset();
        loop.Drop(One);
        await loop.Until(() => loop.State("lp_one") == "Loading");
        loop.Stop();
        loop.Kernel.LoadGate.Set();
        await loop.Until(() => loop.Kernel.Calls.Count == 1);
        await loop.Start();
        await loop.Until(() => loop.State("lp_one") == "Active");
        Assert.Equal("daemon", loop.Shown!.Patches[0].Origin);
        Assert.Equal(1, loop.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task Run_StepThrows_LoggedAndTheLoopGoesOn()
    {
        await loop.Start();
        loop.Kernel.BeforeLoad = () => throw new InvalidOperationException("odd kernel");
        loop.Drop(One);
        await loop.Until(() => loop.Bench.Said.Count("odd kernel") == 1);
        await loop.Until(() => loop.State("lp_one") == "Held");
        // After its pause it is tried again.
        loop.Time.Skip(TimeSpan.FromHours(1));
        loop.Loop!.LookAgain();
        await loop.Until(() => loop.State("lp_one") == "Active");
    }

    [Fact]
    public async Task Run_TransitionLasts_ShownUntilItEnds()
    {
        loop.Kernel.Busy = true;
        await loop.Start();
        loop.Drop(One);
        await loop.Until(() => loop.State("lp_one") == "Transitioning");
        Assert.Equal("lp_one", loop.Shown!.Host.TransitionPatch?.Value);
        loop.Kernel.Complete();
        loop.Loop!.LookAgain();
        await loop.Until(() => loop.State("lp_one") == "Active");
        Assert.Null(loop.Shown!.Host.TransitionPatch);
    }

    [Fact]
    public async Task Run_ObserveMode_LooksAndChangesNothing()
    {
        loop.Configure("mode: observe\n");
        loop.Drop(One);
        await loop.Start();
        await loop.Until(() => loop.Reason("lp_one") == Reason.ObserveMode);
        Assert.Empty(loop.Kernel.Calls);
    }
}
