// Who passes closed gates, who waits, and for how long.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

public sealed class GatepostTests
{
    private static readonly PatchName Name = PatchName.Parse("lp_a");

    private static ModelHost Host(bool active = false, bool closed = true)
    {
        var host = new ModelHost();
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        if (active)
        {
            host.Tick();
            host.Kernel.Complete();
            host.Tick();
        }
        host.GatesClosed = closed;
        return host;
    }

    private static Verdict Verdict(Plan plan) => plan.Verdicts.Single(v => v.Name == Name);

    [Fact]
    public void Closed_gates_hold_a_load_with_their_reason_and_figure()
    {
        var host = Host();
        var plan = host.Tick();
        Assert.Empty(plan.Steps);
        Assert.Equal((Reason.IoPressure, "io"), (Verdict(plan).Reason!.Value, Verdict(plan).Detail));
        Assert.Equal(PatchState.Held, host.Lives[Name].State);
        Assert.Equal(Name, Assert.Single(plan.Holds).Name);
        host.GatesClosed = false;
        Assert.IsType<PlanStep.Load>(host.Tick().Steps[0]);
    }

    [Fact]
    public void A_revert_waits_as_well_and_the_patch_stays_active()
    {
        var host = Host(active: true);
        host.Files.Clear();
        var plan = host.Tick();
        Assert.Empty(plan.Steps);
        Assert.Equal(Reason.IoPressure, Verdict(plan).Reason);
        Assert.Equal(PatchState.Active, host.Lives[Name].State);
        Assert.Equal(Name, Assert.Single(plan.Holds).Name);
        host.GatesClosed = false;
        Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]);
    }

    [Fact]
    public void To_take_a_transition_back_no_gate_is_asked()
    {
        var host = Host(closed: false);
        host.Tick();
        host.Tick();
        host.GatesClosed = true;
        host.Files.Clear();
        Assert.IsType<PlanStep.Reverse>(host.Tick().Steps[0]);
        host.Kernel.Complete();
        host.Kernel.Free();
        host.Tick();
        Assert.False(host.Kernel.Has(Name));
    }

    [Fact]
    public void An_override_is_spent_by_the_load_it_was_given_for()
    {
        var host = Host();
        host.Tick();
        host.Record(RecordKind.OperatorApplied, Name, overrideGates: true);
        Assert.IsType<PlanStep.Load>(host.Tick().Steps[0]);
        host.Kernel.Complete();
        host.Tick();
        host.Files.Clear();
        Assert.Empty(host.Tick().Steps);
        host.Record(RecordKind.OperatorReverted, Name, overrideGates: true);
        Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]);
    }

    [Fact]
    public void The_budget_runs_from_the_first_hold_and_outlives_the_daemon()
    {
        var host = Host();
        host.Tick();
        host.Wait(TimeSpan.FromHours(23));
        host.Restart();
        Assert.Empty(host.Tick().Steps);
        host.Wait(TimeSpan.FromHours(1));
        var plan = host.Tick();
        Assert.IsType<PlanStep.Load>(plan.Steps[0]);
        Assert.Equal(Reason.DeferralExhausted, Verdict(plan).Reason);
        Assert.Empty(plan.Holds);
    }

    [Fact]
    public void The_budget_outlives_reboots()
    {
        var host = Host();
        host.Tick();
        foreach (var _ in Enumerable.Range(0, 5))
        {
            host.Wait(TimeSpan.FromHours(4));
            host.Reboot(TimeSpan.FromMinutes(6));
            Assert.Empty(host.Tick().Steps);
        }
        host.Wait(TimeSpan.FromHours(3));
        host.Restart();
        Assert.Empty(host.Tick().Steps);
        host.Wait(TimeSpan.FromMinutes(31));
        Assert.Equal(Reason.DeferralExhausted, Verdict(host.Tick()).Reason);
        Assert.Equal(1, host.Kernel.Loads);
        Assert.Empty(host.Violations);
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(-10, 24)]
    public void A_clock_that_jumps_over_a_reboot_neither_spends_the_budget_nor_makes_it_longer(int years, int hours)
    {
        var host = Host();
        host.Tick();
        host.Wait(TimeSpan.FromHours(4));
        host.JumpYears(years);
        host.Reboot(TimeSpan.Zero);
        Assert.Empty(host.Tick().Steps);
        // Once it has its place on this boot's clock, the wall clock may do what it likes.
        host.JumpYears(-years);
        host.Restart();
        host.Wait(TimeSpan.FromHours(hours) - TimeSpan.FromMinutes(1));
        Assert.Empty(host.Tick().Steps);
        host.Wait(TimeSpan.FromMinutes(2));
        Assert.Equal(Reason.DeferralExhausted, Verdict(host.Tick()).Reason);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void A_wait_of_an_earlier_boot_that_was_over_does_not_count()
    {
        var host = Host();
        host.Tick();
        host.Wait(TimeSpan.FromHours(20));
        host.GatesClosed = false;
        host.Tick();
        host.GatesClosed = true;
        host.Reboot(TimeSpan.FromHours(1));
        Assert.Empty(host.Tick().Steps);
        host.Wait(TimeSpan.FromHours(23));
        Assert.Empty(host.Tick().Steps);
        host.Files.Clear();
        host.Reboot(TimeSpan.Zero); // Nobody wants it any more when the machine comes back.
        host.Tick();
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Wait(TimeSpan.FromHours(23));
        Assert.Empty(host.Tick().Steps);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void A_wait_that_ended_does_not_count_for_the_next()
    {
        var host = Host();
        host.Tick();
        host.Wait(TimeSpan.FromHours(23));
        host.Files.Clear();
        host.Tick();
        host.Wait(TimeSpan.FromHours(2));
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        Assert.Empty(host.Tick().Steps);
    }

    [Fact]
    public void Who_waits_for_others_in_between_keeps_what_is_spent()
    {
        var host = Host();
        host.Files["lp_b"] = ModelHost.File("lp_b", 1);
        host.Tick();
        host.Wait(TimeSpan.FromHours(24));
        host.Tick();
        host.Tick();
        Assert.Equal(1, host.Kernel.Loads);
        host.Kernel.Complete();
        host.Tick();
        Assert.Equal(2, host.Kernel.Loads);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void A_new_build_is_loaded_by_the_word_that_took_the_old_one_out()
    {
        var host = Host(active: true);
        host.Files["lp_a"] = ModelHost.File("lp_a", 2);
        host.Tick();
        Assert.Equal(PatchState.Active, host.Lives[Name].State);
        host.Record(RecordKind.OperatorApplied, Name, overrideGates: true);
        for (var i = 0; i < 6; i++)
        {
            host.Tick();
            host.Kernel.Complete();
            host.Kernel.Free();
        }
        Assert.Equal(ModelHost.Build("lp_a", 2), host.Kernel.BuildOf(Name));
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void A_spent_budget_keeps_by_policy()
    {
        var host = Host();
        host.Tick();
        host.Wait(TimeSpan.FromHours(25));
        var settings = Settings.Default with { Deferral = Settings.Default.Deferral with { Then = AfterDeferral.Hold } };
        var plan = Planner.Decide(host.Input() with { Settings = settings });
        Assert.Empty(plan.Steps);
        Assert.Equal(Reason.DeferralExhausted, Verdict(plan).Reason);
    }

    [Fact]
    public void A_patch_with_gates_of_its_own_waits_at_those()
    {
        var host = Host(closed: false);
        var own = new GateBoard([], Reason.OutsideWindow, null, "tonight");
        var input = host.Input();
        var plan = Planner.Decide(input with { PatchGates = input.PatchGates.Add(ModelHost.Digest("lp_a", 1), own) });
        Assert.Equal(Reason.OutsideWindow, Verdict(plan).Reason);
    }
}
