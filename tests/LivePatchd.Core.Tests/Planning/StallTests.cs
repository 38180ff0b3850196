// A transition that does not end: reported, reversed, tried again, given up; a disable likewise; and what the machine's size changes.
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

public sealed class StallTests
{
    private static readonly PatchName Name = PatchName.Parse("lp_a");

    private static ModelHost Loaded()
    {
        var host = new ModelHost();
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Tick();
        host.Tick();
        return host;
    }

    private static Verdict Verdict(Plan plan) => plan.Verdicts.Single(v => v.Name == Name);

    /// <summary>From the end of the deadline to the module's removal.</summary>
    private static Plan Reversed(ModelHost host)
    {
        host.Wait(TransitionSettings.BaseReverseAfter);
        host.Tick();
        host.Kernel.Complete();
        host.Kernel.Free();
        host.Tick();
        host.Tick();
        return host.Tick();
    }

    [Fact]
    public void The_soft_deadline_reports_and_the_hard_one_reverses()
    {
        var host = Loaded();
        Assert.Equal(PatchState.Transitioning, host.Lives[Name].State);
        host.Wait(TransitionSettings.BaseReportAfter);
        Assert.Equal(Reason.TransitionOverdue, Verdict(host.Tick()).Reason);
        Assert.Equal(PatchState.Stalled, host.Lives[Name].State);
        host.Wait(TransitionSettings.BaseReverseAfter);
        var step = Assert.IsType<PlanStep.Reverse>(host.Tick().Steps[0]);
        Assert.Equal(Reason.TransitionStalled, step.Why);
        Assert.Equal(Reason.TransitionStalled, Verdict(host.Tick()).Reason);
        Assert.Equal(PatchState.Reversing, host.Lives[Name].State);
    }

    [Fact]
    public void It_is_tried_again_after_a_growing_pause_and_no_more_than_the_budget()
    {
        var host = Loaded();
        var settings = TransitionSettings.Default;
        for (var attempt = 1; attempt <= settings.Attempts; attempt++)
        {
            Assert.Equal(attempt, host.Kernel.Loads);
            var verdict = Verdict(Reversed(host));
            Assert.False(host.Kernel.Has(Name));
            if (attempt == settings.Attempts)
            {
                Assert.Equal(Reason.AttemptsExhausted, verdict.Reason);
                Assert.Null(verdict.RetryAt);
                break;
            }
            Assert.Equal(Reason.TransitionStalled, verdict.Reason);
            var pause = verdict.RetryAt!.Value.Since(host.Now);
            var least = RetryPolicy.Pause(attempt, settings);
            Assert.InRange(pause, least - TimeSpan.FromSeconds(1), least * 1.2);
            host.Wait(pause + TimeSpan.FromSeconds(1));
            host.Tick();
            host.Tick();
        }
        host.Wait(TimeSpan.FromDays(30));
        Assert.Empty(host.Tick().Steps);

        host.Record(RecordKind.OperatorApplied, Name);
        Assert.IsType<PlanStep.Load>(host.Tick().Steps[0]);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void Attempts_are_remembered_by_a_daemon_that_was_restarted()
    {
        var host = Loaded();
        Reversed(host);
        host.Restart();
        Assert.Equal(Reason.TransitionStalled, Verdict(host.Tick()).Reason);
        Assert.Equal(1, host.Ledger.Failures[ModelHost.Digest("lp_a", 1)].Count);
    }

    [Fact]
    public void Success_forgets_the_attempts()
    {
        var host = Loaded();
        var pause = Verdict(Reversed(host)).RetryAt!.Value.Since(host.Now);
        host.Wait(pause + TimeSpan.FromSeconds(1));
        host.Tick();
        host.Kernel.Complete();
        host.Tick();
        Assert.Equal(PatchState.Active, host.Lives[Name].State);
        Assert.Empty(host.Ledger.Failures);
    }

    [Fact]
    public void A_disable_that_does_not_end_is_taken_back_and_tried_again()
    {
        var host = Loaded();
        host.Kernel.Complete();
        host.Tick();
        host.Files.Clear();
        host.Tick();
        host.Wait(TransitionSettings.BaseReverseAfter);
        Assert.IsType<PlanStep.Reenable>(host.Tick().Steps[0]);
        Assert.Equal(PatchState.Reversing, host.Lives[Name].State);
        host.Tick();
        Assert.Equal(PatchState.Reversing, host.Lives[Name].State);
        host.Kernel.Complete();
        var verdict = Verdict(host.Tick());
        Assert.Equal(PatchState.Active, host.Lives[Name].State);
        Assert.Equal(Reason.TransitionStalled, verdict.Reason);
        host.Wait(verdict.RetryAt!.Value.Since(host.Now));
        Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void A_disable_by_hand_that_has_just_begun_is_not_taken_for_one_that_we_take_back()
    {
        var host = Loaded();
        host.Kernel.Complete();
        host.Tick();
        var input = host.Input();
        // The kernel opens the transition first, and clears `enabled` a moment later.
        var begun = input with { Seen = input.Seen with { Patches = [.. input.Seen.Patches.Select(p => p with { Transition = true })] } };
        var verdict = Verdict(Planner.Decide(begun));
        Assert.Equal((LifecycleEvent.Leaving, (Reason?)Reason.DisabledByHand), (verdict.Event, verdict.Reason));
    }

    [Fact]
    public void Pressure_reverses_at_once_but_not_what_is_critical()
    {
        var host = Loaded();
        host.UnderPressure = true;
        Assert.Equal(Reason.AbortedUnderPressure, Assert.IsType<PlanStep.Reverse>(host.Tick().Steps[0]).Why);

        var critical = new ModelHost { UnderPressure = true };
        var manifest = new Manifest(null, null, [], null, [], Severity.Critical, null, [], [], null, null, []);
        critical.Files["lp_a"] = ModelHost.File("lp_a", 1) with { Manifest = manifest };
        critical.Tick();
        Assert.IsType<PlanStep.Await>(critical.Tick().Steps[0]);
    }

    [Fact]
    public void What_can_never_complete_is_taken_back_and_not_tried_again()
    {
        var host = Loaded();
        var input = host.Input() with { NeverCompletes = new TransitionAlarm(Name, "kthread") };
        var step = Assert.IsType<PlanStep.Reverse>(Planner.Decide(input).Steps[0]);
        var ledger = LedgerFold.Apply(host.Ledger, new JournalRecord(RecordKind.DisableIntent, Name, "boot", host.Now, Reason: step.Why));
        ledger = LedgerFold.Apply(ledger, new JournalRecord(RecordKind.Gone, Name, "boot", host.Now, ModelHost.Digest("lp_a", 1)));
        var later = new PlannerInput(
            new ModelKernel().Observe("boot"), input.Want, ledger, input.Settings, null, null, host.Now.After(TimeSpan.FromDays(300)));
        var plan = Planner.Decide(later);
        Assert.Empty(plan.Steps);
        Assert.Equal(Reason.NeverCompletes, Verdict(plan).Reason);
    }

    [Fact]
    public void What_was_seen_of_one_transition_is_not_held_against_another()
    {
        var other = new TransitionAlarm(PatchName.Parse("lp_b"), "old");
        var input = Loaded().Input() with { NeverCompletes = other, Abort = other };
        Assert.IsType<PlanStep.Await>(Planner.Decide(input).Steps[0]);
    }

    [Fact]
    public void Other_failures_spend_no_attempt()
    {
        var host = Loaded();
        var digest = ModelHost.Digest("lp_a", 1);
        var ledger = host.Ledger;
        for (var i = 0; i < 10; i++)
            ledger = LedgerFold.Apply(ledger, new JournalRecord(RecordKind.LoadFailed, Name, "boot", host.Now, digest, Reason: Reason.TransitionInProgress));
        Assert.False(Stalls.IsExhausted(ledger.Failures[digest], TransitionSettings.Default));
        Assert.Equal(0, ledger.Failures[digest].Reversals);
    }

    [Fact]
    public void Force_needs_the_token_of_the_report_and_no_bar()
    {
        var host = Loaded();
        host.ForceAsked = Name;
        Assert.IsType<PlanStep.Force>(Planner.Decide(host.Input()).Steps[0]);
        Assert.IsType<PlanStep.Await>(Planner.Decide(host.Input() with { Bar = Reason.ObserveMode }).Steps[0]);
        host.Token = "guessed";
        Assert.IsType<PlanStep.Await>(Planner.Decide(host.Input()).Steps[0]);
        Assert.IsType<PlanStep.Await>(Planner.Decide(host.Input() with { ForceAsked = null }).Steps[0]);
    }

    [Theory]
    [InlineData(1, 100, 15, 120)]
    [InlineData(64, 10_000, 15, 120)]
    [InlineData(128, 10_000, 30, 240)]
    [InlineData(256, 40_000, 45, 360)]
    [InlineData(2, 160_000, 75, 600)]
    [InlineData(8192, 10_000_000, 75, 600)]
    public void Deadlines_grow_with_the_machine(int cpus, int threads, int report, int reverse)
    {
        var deadlines = StallDeadlines.For(TransitionSettings.Default, new MachineSize(cpus, threads));
        Assert.Equal(TimeSpan.FromSeconds(report), deadlines.Report);
        Assert.Equal(TimeSpan.FromSeconds(reverse), deadlines.Reverse);
    }

    [Fact]
    public void What_is_configured_does_not_grow()
    {
        var settings = TransitionSettings.Default with { SetReverseAfter = TimeSpan.FromSeconds(10) };
        var deadlines = StallDeadlines.For(settings, new MachineSize(1024, 1_000_000));
        Assert.Equal(new StallDeadlines(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10)), deadlines);
    }
}
