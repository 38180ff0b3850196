// A patch must go for cause while another one is in transition: the kernel does one at a time, so the other one makes way.
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

public sealed class MakeWayTests
{
    private static readonly PatchName Bad = PatchName.Parse("lp_a");
    private static readonly PatchName Other = PatchName.Parse("lp_b");

    /// <summary>lp_a is on probation, lp_b in transition.</summary>
    private static ModelHost Host(bool cumulative = false, bool knowsReplace = true, Manifest? bad = null)
    {
        var host = new ModelHost { Soak = Core.Config.SoakSettings.Default, Kernel = new ModelKernel { KnowsReplace = knowsReplace } };
        host.Files["lp_a"] = ModelHost.File("lp_a", 1) with { Manifest = bad };
        host.Tick();
        host.Kernel.Complete();
        host.Tick();
        host.Files["lp_b"] = ModelHost.File("lp_b", 1);
        if (cumulative)
            host.Replacing.Add(Other);
        for (var i = 0; i < 4 && !host.Kernel.Busy; i++)
            host.Tick();
        Assert.True(host.Kernel.Busy);
        return host;
    }

    private static void Accuse(ModelHost host) =>
        host.Append(new JournalRecord(RecordKind.Quarantined, Bad, host.Boot, host.Now, ModelHost.Digest("lp_a", 1), Reason: Reason.KernelWarning, Detail: "warn_count 0 -> 1"));

    [Fact]
    public void The_other_is_reversed_at_once_then_the_bad_one_leaves_and_the_other_comes_back()
    {
        var host = Host();
        Accuse(host);
        var reverse = Assert.IsType<PlanStep.Reverse>(host.Tick().Steps[0]);
        Assert.Equal((Other, Reason.MadeWay, "for lp_a"), (reverse.Name, reverse.Why, reverse.Detail));
        host.Kernel.Complete();
        host.Kernel.Free();
        var leaves = false;
        for (var i = 0; i < 600 && !(host.Lives.TryGetValue(Other, out var life) && life.State is PatchState.Soaking); i++)
        {
            host.Wait(TimeSpan.FromSeconds(10));
            var plan = host.Tick();
            leaves |= plan.Steps is [PlanStep.Disable { Why: Reason.KernelWarning } disable, ..] && disable.Name == Bad;
            Assert.True(leaves || !host.Kernel.Busy);
            host.Kernel.Complete();
            host.Kernel.Free();
        }
        Assert.True(leaves);
        Assert.Equal((PatchState.Quarantined, PatchState.Soaking), (host.Lives[Bad].State, host.Lives[Other].State));
        Assert.False(host.Kernel.Has(Bad));
        Assert.Empty(host.Violations);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void What_may_take_the_bad_one_with_it_is_given_its_time(bool cumulative, bool knowsReplace)
    {
        var host = Host(cumulative, knowsReplace);
        Accuse(host);
        var input = host.Input();
        Assert.All(Planner.Decide(input).Steps, s => Assert.IsType<PlanStep.Await>(s));
        var late = Planner.Decide(input with { Now = input.Now.After(Core.Policy.StallDeadlines.For(input.Settings.Transition, input.Size).Report) });
        Assert.Equal(Reason.MadeWay, Assert.IsType<PlanStep.Reverse>(late.Steps[0]).Why);
    }

    /// <summary>Before 6.11 the kernel does not tell; what was read of the file does, if it could be read.</summary>
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(null, false)]
    public void Where_the_kernel_does_not_tell_the_file_does(bool? cumulative, bool makesWay)
    {
        var host = Host(knowsReplace: false);
        Accuse(host);
        var input = host.Input();
        var tables = new PatchTables(PatchTablesSource.HandWritten, [], cumulative, []);
        var wanted = input.Want.Wanted.Select(w => w.Name == Other ? w with { Module = w.Module with { Footprint = PatchFootprint.Unknown with { Tables = tables } } } : w);
        var plan = Planner.Decide(input with { Want = input.Want with { Wanted = [.. wanted] } });
        Assert.Equal(makesWay, plan.Steps[0] is PlanStep.Reverse { Why: Reason.MadeWay });
    }

    [Fact]
    public void Nothing_makes_way_for_what_stays_anyway()
    {
        var host = Host(bad: ModelHost.RollbackSafe with { Rollback = Rollback.Unsafe });
        Accuse(host);
        Assert.All(host.Tick().Steps, s => Assert.IsType<PlanStep.Await>(s));
        Assert.Equal(Reason.RebootToLeave, Planner.Decide(host.Input()).Verdicts.Single(v => v.Name == Bad).Reason);
    }
}
