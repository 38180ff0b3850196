// The gates as the loop works with them: asked when a step must pass, closed by figures, people and programs, and answered once that is shown.
using LivePatchd.Control;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class GateDeskTests : IDisposable
{
    private static readonly GateSettings NoSettle = GateSettings.Default with { Settle = TimeSpan.Zero };
    private static readonly PlannerInput Wanting = Given.Input(Given.Seen(), Given.Want(Given.File()), settings: Given.NoSoak with { Gates = NoSettle });

    private readonly SharedBus bus;
    private readonly Bench bench = new();
    private readonly DeskBench desks;
    private readonly GateDesk gates;

    public GateDeskTests(SharedBus bus)
    {
        this.bus = bus;
        desks = new DeskBench(bench);
        gates = desks.Gates;
    }

    public void Dispose()
    {
        desks.Dispose();
        bench.Dispose();
    }

    private bool Ask(double seconds, DesiredState? desired = null) => gates.Ask(Given.At(seconds), NoSettle, desired ?? DesiredState.Empty);

    /// <summary>Two readings far enough apart to compare.</summary>
    private void Measured()
    {
        Ask(0);
        Ask(2);
        Assert.True(gates.Board.Open, gates.Board.Detail);
    }

    [Fact]
    public void Ask_NewsOrNot_TellsByTheGatesAndNotTheirFigures()
    {
        Assert.True(Ask(0));
        Assert.True(Ask(2));
        desks.Load = 0.2;
        Assert.False(Ask(4));
        desks.Load = 9;
        Assert.True(Ask(6));
        Assert.Equal(Reason.LoadTooHigh, gates.Board.Reason);
        desks.Load = 8;
        Assert.False(Ask(8));
    }

    [Fact]
    public void IsDue_AfterAReading_InTenSecondsOrWhenItRings()
    {
        Assert.True(gates.IsDue(Given.Now));
        Ask(0);
        Assert.Equal(Given.Now, gates.ReadAt);
        Assert.False(gates.IsDue(Given.At(9.9)));
        Assert.True(gates.IsDue(Given.At(10)));
        gates.Rung(Given.At(1));
        Assert.True(gates.IsDue(Given.At(1)));
    }

    [Fact]
    public void Sampled_EachReading_HandedOn()
    {
        var seen = new List<PressureSample>();
        gates.Sampled += seen.Add;
        Measured();
        Assert.Equal([Given.At(0), Given.At(2)], seen.Select(s => s.At));
    }

    [Fact]
    public void Decide_NothingToLetThrough_NotAskedBeforeItIsDue()
    {
        Measured();
        var before = desks.Readings;
        gates.Decide(Given.Input(Given.Seen(), now: Given.At(3)));
        Assert.Equal(before, desks.Readings);
        gates.Decide(Given.Input(Given.Seen(), now: Given.At(12)));
        Assert.Equal(before + 1, desks.Readings);
    }

    [Fact]
    public void Decide_LoadIsPlanned_AskedAtThatMoment()
    {
        Measured();
        var before = desks.Readings;
        var (plan, input) = gates.Decide(Wanting with { Now = Given.At(3) });
        Assert.IsType<PlanStep.Load>(Assert.Single(plan.Steps));
        Assert.Equal(before + 1, desks.Readings);
        Assert.Same(gates.Board, input.Gates);
        desks.Load = 9;
        (plan, _) = gates.Decide(Wanting with { Now = Given.At(4) });
        Assert.Empty(plan.Steps);
        Assert.Equal(Reason.LoadTooHigh, Assert.Single(plan.Holds).Reason);
    }

    [Fact]
    public void Decide_FiguresMissing_HoldsAsConfigured()
    {
        desks.Unreadable = true;
        var (plan, _) = gates.Decide(Wanting);
        Assert.Equal(Reason.GateUnavailable, Assert.Single(plan.Holds).Reason);
    }

    [Fact]
    public void Decide_ManifestWithGatesOfItsOwn_HoldsThatPatchAlone()
    {
        desks.Load = 0.5;
        var strict = Given.File(manifest: Given.Manifest with { Gates = new GateOverrides { LoadMaxPerCpuRatio = 0.2 } });
        var want = Given.Want(strict, Given.File(Given.Two, Given.OtherDigest));
        gates.Ask(Given.At(0), NoSettle, want);
        gates.Ask(Given.At(2), NoSettle, want);
        var (plan, _) = gates.Decide(Wanting with { Want = want, Now = Given.At(4) });
        Assert.Equal(Given.Two, Assert.Single(plan.Steps).Name);
        Assert.Equal((Given.One, Reason.LoadTooHigh), (Assert.Single(plan.Holds).Name, plan.Holds[0].Reason));
        Assert.Equal([Given.Digest], gates.OwnBoards.Keys);
        Ask(6, Given.Want());
        Assert.Empty(gates.OwnBoards);
    }

    [Fact]
    public void Wait_SomebodyWaits_UntilTheBoardSays()
    {
        desks.Load = 9;
        Ask(0);
        Assert.Null(gates.Wait(somebody: false, NoSettle));
        Assert.Equal(gates.Board.RetryAt, gates.Wait(somebody: true, NoSettle));
        Assert.NotNull(gates.Board.RetryAt);
    }

    [Fact]
    public void Carry_Hold_ClosesAtTheNextReadingAndIsAnsweredOnceShown()
    {
        Measured();
        var asked = bus.Ask();
        gates.Carry(new Command.Hold(asked.Call, "release", Given.At(60).Wall, 0), Given.At(3));
        Assert.True(asked.IsOpen);
        Assert.True(gates.IsDue(Given.At(3)));
        Ask(3);
        Assert.Equal(Reason.OperatorHold, gates.Board.Reason);
        Assert.Equal("release", gates.View.Hold!.Why);
        gates.Answer();
        Assert.True(asked.Value);
        Ask(60);
        Assert.Null(gates.View.Hold);
        Assert.True(gates.Board.Open);
    }

    [Fact]
    public void Carry_HoldUntilAMomentThatIsOver_Refused()
    {
        var asked = bus.Ask();
        gates.Carry(new Command.Hold(asked.Call, "late", Given.Now.Wall, 0), Given.Now);
        Assert.Equal((BusErrors.InvalidArgument, "until_usec is in the past"), asked.Error);
        Assert.Null(desks.Holds.Hold);
    }

    [Fact]
    public void Carry_HoldThatCannotBeWritten_Failed()
    {
        bench.BreakState();
        var asked = bus.Ask();
        gates.Carry(new Command.Hold(asked.Call, "release", null, 0), Given.Now);
        gates.Answer();
        Assert.Equal(BusErrors.Failed, asked.Error.Name);
        Ask(0);
        Assert.NotEqual(Reason.OperatorHold, gates.Board.Reason);
    }

    [Fact]
    public void Carry_Unhold_OpensAgain()
    {
        Measured();
        gates.Carry(new Command.Hold(null, "release", null, 0), Given.At(3));
        Ask(3);
        var asked = bus.Ask();
        gates.Carry(new Command.Unhold(asked.Call), Given.At(4));
        Ask(5);
        gates.Answer();
        Assert.True(asked.Value);
        Assert.True(gates.Board.Open);
    }

    [Fact]
    public void Carry_Inhibit_HoldsUntilTheCallerClosesWhatItGot()
    {
        Measured();
        var asked = bus.AskForFd();
        gates.Carry(new Command.Inhibit(asked.Call, "backup", "nightly", 0), Given.At(3));
        Ask(3);
        Assert.Equal(Reason.Inhibited, gates.Board.Reason);
        Assert.Equal("backup", Assert.Single(gates.View.Inhibitors).Who);
        gates.Answer();
        // Ours is closed once it is sent: the caller's is the only one.
        using (asked.Value)
        {
            Ask(4);
            Assert.Equal(Reason.Inhibited, gates.Board.Reason);
        }
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Ask(5);
                return gates.Board.Open;
            },
            EndToEnd.Tests.Limit.Long), gates.Board.Detail);
    }

    [Fact]
    public void Carry_InhibitorsWithoutEnd_BoundedForOneCaller()
    {
        for (var i = 0; i < InhibitorTable.MaxPerSender; i++)
            Assert.True(desks.Inhibitors.Add(new InhibitorLock("program", "why", 1000, ":1.1", Given.Now)).IsOk);
        var asked = bus.AskForFd();
        gates.Carry(new Command.Inhibit(asked.Call, "program", "once more", 1000), Given.Now);
        Assert.Equal(BusErrors.LimitsExceeded, asked.Error.Name);
    }
}
