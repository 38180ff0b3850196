// Requests to the loop: carried out between two looks, answered when what they ask for is in force, refused when it cannot be.
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux.Tests;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class ReconcilerCommandsTests(SharedBus bus) : IDisposable
{
    private static readonly Patch One = new("lp_one");

    private readonly LoopBench loop = new();

    public void Dispose() => loop.Dispose();

    private Asked<string> Apply(string name)
    {
        var asked = bus.AskForPath();
        loop.Loop!.Post(new Command.Apply(asked.Call, PatchName.Parse(name)));
        return asked;
    }

    private Asked<bool> Post(Func<Bus.BusCall, Command> command)
    {
        var asked = bus.Ask();
        loop.Loop!.Post(command(asked.Call));
        return asked;
    }

    private string Dropped(Patch patch) => loop.Bench.Files.Write("/tmp/" + patch.FileName, patch.Bytes);

    [Fact]
    public async Task Apply_UnknownName_RefusedAfterOneMoreScan()
    {
        await loop.Start();
        Assert.Equal(BusErrors.NoSuchPatch, Apply("lp_none").Error.Name);
        // A file that was renamed into place a moment before is found.
        loop.Drop(One);
        Assert.StartsWith("/org/livepatchd1/job/", Apply("lp_one").Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Revert_ActivePatch_JobEndsAsDoneAndItStaysOut()
    {
        await loop.Start();
        loop.Drop(One);
        await loop.Until(() => loop.State("lp_one") == "Active");
        var asked = bus.AskForPath();
        loop.Loop!.Post(new Command.Revert(asked.Call, Given.One));
        Assert.Equal(JobInterface.PathOf(1), asked.Value);
        // Whoever hears of the job finds it.
        Assert.Contains(loop.Shown!.Jobs, j => j.Id == 1);
        await loop.Until(() => loop.Shown!.Jobs.Any(j => j.Result == "done"));
        Assert.False(loop.Kernel.Has("lp_one"));
        await loop.Settled(bus);
        Assert.Equal(1, loop.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task Reload_GoodAndBad_AnsweredWhenInForce()
    {
        await loop.Start();
        var moved = 0;
        loop.Loop!.MetricsChanged += () => moved++;
        loop.Configure("metrics: {listen: off}\n");
        Assert.True(Post(c => new Command.Reload(c)).Value);
        Assert.Equal((2ul, 1), (loop.Shown!.Host.ConfigGeneration, moved));
        loop.Configure("mode: perhaps\n");
        Assert.Equal(BusErrors.InvalidArgument, Post(c => new Command.Reload(c)).Error.Name);
        Assert.Equal((2ul, 1), (loop.Shown!.Host.ConfigGeneration, moved));
        Assert.NotEmpty(loop.Shown.Host.ConfigErrors);
    }

    [Fact]
    public async Task Stage_ThenUnstage_LoadedAndTakenOut()
    {
        await loop.Start();
        var staged = bus.AskForText();
        loop.Loop!.Post(new Command.Stage(staged.Call, File.OpenHandle(Dropped(One)), One.FileName));
        Assert.Equal("lp_one", staged.Value);
        await loop.Until(() => loop.State("lp_one") == "Active");
        Assert.True(Post(c => new Command.Unstage(c, Given.One)).Value);
        await loop.Until(() => !loop.Kernel.Has("lp_one"));
        Assert.Equal(BusErrors.NoSuchPatch, Post(c => new Command.Unstage(c, Given.One)).Error.Name);
    }

    [Fact]
    public async Task PlanFile_NobodyStagedIt_ToldAndNothingChanges()
    {
        await loop.Start();
        var asked = bus.AskForText();
        loop.Loop!.Post(new Command.PlanFile(asked.Call, File.OpenHandle(Dropped(One)), One.FileName));
        Assert.Contains("\"loads\"", asked.Value, StringComparison.Ordinal);
        await loop.Settled(bus);
        Assert.Empty(loop.Shown!.Patches);
        Assert.Empty(loop.Kernel.Calls);
    }

    [Fact]
    public async Task PlanFile_FifoAsSidecar_RefusedAndTheDirectoriesAreStillRead()
    {
        await loop.Start();
        Assert.Equal(0, FakeRoot.mkfifo(loop.Bench.Files.Path($"{LoopBench.PatchDirectory}/lp_one.yaml"), 0x180));
        var asked = bus.AskForText();
        loop.Loop!.Post(new Command.PlanFile(asked.Call, File.OpenHandle(Dropped(One)), One.FileName));
        Assert.Contains("\"not-a-regular-file\"", asked.Value, StringComparison.Ordinal);
        loop.Drop(new Patch("lp_two"));
        await loop.Until(() => loop.State("lp_two") == "Active");
    }

    [Fact]
    public async Task Stage_DescriptorThatIsNoFile_RefusedWithoutReading()
    {
        await loop.Start();
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        var staged = bus.AskForText();
        loop.Loop!.Post(new Command.Stage(staged.Call, new Microsoft.Win32.SafeHandles.SafeFileHandle(pipe.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false), One.FileName));
        Assert.Contains("not-a-regular-file", staged.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hold_ThenUnhold_NothingIsLoadedMeanwhile()
    {
        await loop.Start();
        Assert.True(Post(c => new Command.Hold(c, "release", null, 0)).Value);
        loop.Drop(One);
        await loop.Until(() => loop.Reason("lp_one") == Reason.OperatorHold);
        Assert.Empty(loop.Kernel.Calls);
        Assert.True(Post(c => new Command.Unhold(c)).Value);
        await loop.Until(() => loop.State("lp_one") == "Active");
    }

    [Fact]
    public async Task Force_NothingMoves_RefusedAtOnce()
    {
        await loop.Start();
        Assert.Equal(BusErrors.NoSuchPatch, Post(c => new Command.Force(c, Given.One, "token")).Error.Name);
    }

    [Fact]
    public async Task Release_UnknownName_NoSuchPatch()
    {
        await loop.Start();
        Assert.Equal(BusErrors.NoSuchPatch, Post(c => new Command.Release(c, Given.One, 0)).Error.Name);
        Assert.Equal(BusErrors.NoSuchPatch, Post(c => new Command.Confirm(c, Given.One, 0)).Error.Name);
    }
}
