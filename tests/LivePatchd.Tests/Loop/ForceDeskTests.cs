// The one request to force that may be open: shown to the planner at once, answered with what came of it or why not.
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class ForceDeskTests : IDisposable
{
    private const string Token = "0123456789ab";
    private static readonly PlanStep.Force Force = new(Given.One);
    private static readonly Ledger Owned = Given.Ledger(Given.Record(RecordKind.LoadIntent), Given.Record(RecordKind.Loaded));
    private static readonly PlannerInput Moving = Given.Input(Given.Seen(Given.Loaded(KernelPatchState.Enabling)), Given.Want(Given.File()), Owned) with { BlockersToken = Token };

    private readonly SharedBus bus;
    private readonly Bench bench = new();
    private readonly ForceDesk desk;

    public ForceDeskTests(SharedBus bus)
    {
        this.bus = bus;
        desk = new ForceDesk(bench.Log);
    }

    public void Dispose() => bench.Dispose();

    private Asked<bool> Take(string token = Token, PatchName? name = null)
    {
        var asked = bus.Ask();
        desk.Take(new Command.Force(asked.Call, name ?? Given.One, token), Given.Now);
        return asked;
    }

    private void Look(PlannerInput input, bool begun = false, bool wasBusy = false) =>
        desk.Look(begun ? Given.Plan(Force) : Given.Plan(), input, begun, wasBusy);

    [Fact]
    public void Asked_Open_UntilItIsCarriedOut()
    {
        Assert.Null(desk.Asked);
        Take();
        Assert.Equal(new ForceRequest(Given.One, Token), desk.Asked);
        Look(Moving, begun: true);
        Assert.Null(desk.Asked);
        Assert.Equal(1, bench.Said.Count("lp_one: its transition is forced at the word of user 0"));
    }

    [Fact]
    public void Answer_Forced_OnceTheStepHasEnded()
    {
        var asked = Take();
        Look(Moving, begun: true);
        desk.Answer();
        Assert.True(asked.IsOpen);
        desk.Conclude(new PlanStep.Load(Given.Two, Given.OtherDigest), SysResult.Success);
        desk.Answer();
        Assert.True(asked.IsOpen);
        desk.Conclude(Force, SysResult.Success);
        desk.Answer();
        Assert.True(asked.Value);
        // The next request has a desk of its own.
        Take();
        Assert.NotNull(desk.Asked);
    }

    [Fact]
    public void Answer_KernelRefused_Told()
    {
        var asked = Take();
        Look(Moving, begun: true);
        desk.Conclude(Force, SysResult.Fail(Errno.EINVAL, "write"));
        desk.Answer();
        Assert.Equal((BusErrors.Failed, "lp_one: write: EINVAL"), asked.Error);
    }

    [Fact]
    public void Take_AnotherIsOpen_Busy()
    {
        Take();
        Assert.Equal(BusErrors.Busy, Take().Error.Name);
    }

    [Fact]
    public void Conclude_NotTaken_ChangesNothing()
    {
        var asked = Take();
        desk.Conclude(Force, SysResult.Success);
        desk.Answer();
        Assert.True(asked.IsOpen);
        Assert.NotNull(desk.Asked);
    }

    [Fact]
    public void Look_WorkerBusy_WaitedForAWhile()
    {
        var asked = Take();
        Look(Moving with { Now = Given.At(4.9) }, wasBusy: true);
        Assert.True(asked.IsOpen);
        Look(Moving with { Now = Given.At(5) }, wasBusy: true);
        Assert.Equal((BusErrors.Busy, "another operation is under way"), asked.Error);
        Assert.Null(desk.Asked);
    }

    [Fact]
    public void Look_AnotherStepWasBegun_IsNotOurs()
    {
        var asked = Take();
        desk.Look(Given.Plan(new PlanStep.Force(Given.Two)), Moving, begun: true, wasBusy: false);
        Assert.Equal(BusErrors.Failed, asked.Error.Name);
    }

    public static TheoryData<string, string> Refusals => new()
    {
        { "unknown", BusErrors.NoSuchPatch },
        { "not loaded", BusErrors.InvalidArgument },
        { "active", BusErrors.InvalidArgument },
        { "foreign", BusErrors.NameConflict },
        { "barred", BusErrors.Held },
        { "forced already", BusErrors.Held },
        { "nobody looked", BusErrors.Held },
        { "old token", BusErrors.InvalidArgument },
        { "journal", BusErrors.Failed },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Look_MayNotBeForced_RefusedAtOnceAndWhy(string why, string error)
    {
        var asked = Take();
        Look(why switch
        {
            "unknown" => Moving with { Seen = Given.Seen(), Want = DesiredState.Empty },
            "not loaded" => Moving with { Seen = Given.Seen() },
            "active" => Moving with { Seen = Given.Seen(Given.Loaded(KernelPatchState.Active)) },
            "foreign" => Moving with { Ledger = Given.Ledger() },
            "barred" => Moving with { Bar = Reason.ObserveMode },
            "forced already" => Moving with { Ledger = LedgerFold.Apply(Owned, Given.Record(RecordKind.Forced)) },
            "nobody looked" => Moving with { BlockersToken = null },
            "old token" => Moving with { BlockersToken = "ba9876543210" },
            _ => Moving,
        });
        Assert.Equal(error, asked.Error.Name);
        Assert.Null(desk.Asked);
    }
}
