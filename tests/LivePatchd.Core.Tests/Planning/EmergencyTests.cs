// A patch that must go for cause: by which way, in which order, whatever the gates say, and when nothing more can be done.
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

public sealed class EmergencyTests
{
    private const string Evidence = "warn_count 0 -> 1";
    private static readonly PatchName A = PatchName.Parse("lp_a");
    private static readonly PatchName B = PatchName.Parse("lp_b");
    private static readonly PatchName D = PatchName.Parse("lp_d");
    private static readonly Manifest Unsafe = ModelHost.RollbackSafe with { Rollback = Rollback.Unsafe };

    private static ModelHost Host(params string[] names) => Host(null, names);

    /// <summary>On probation: the soak is long.</summary>
    private static ModelHost Host(Manifest? manifest, params string[] names)
    {
        var host = new ModelHost { Soak = Core.Config.SoakSettings.Default };
        foreach (var name in names)
        {
            host.Files[name] = ModelHost.File(name, 1) with { Manifest = manifest };
            host.Tick();
            host.Kernel.Complete();
            host.Tick();
        }
        return host;
    }

    private static void Accuse(ModelHost host, string name, Reason reason = Reason.KernelWarning) =>
        host.Append(new JournalRecord(RecordKind.Quarantined, PatchName.Parse(name), host.Boot, host.Now, ModelHost.Digest(name, 1), Reason: reason, Detail: Evidence));

    private static Verdict Of(Plan plan, PatchName name) => plan.Verdicts.Single(v => v.Name == name);

    [Fact]
    public void Disable_and_unload_come_first_and_ask_no_gate()
    {
        var host = Host("lp_a", "lp_b");
        host.Files["lp_c"] = ModelHost.File("lp_c", 1);
        host.GatesClosed = true;
        host.Kernel.WarnCount++;
        var plan = host.Tick();
        Assert.Equal(new PlanStep[] { new PlanStep.Disable(B, Reason.KernelWarning), new PlanStep.Unload(B, Reason.KernelWarning) }, plan.Steps.Take(2));
        Assert.Equal(PatchState.Reverting, host.Lives[B].State);
        host.Kernel.Complete();
        Assert.Equal(Reason.KernelWarning, Of(host.Tick(), B).Reason);
        host.Kernel.Free();
        host.Tick();
        plan = host.Tick();
        Assert.False(host.Kernel.Has(B));
        Assert.Equal(PatchState.Held, host.Lives[B].State);
        Assert.Equal((Reason.Suspected, "kernel-warning: warn_count 0 -> 1; tainted 0 -> 512"), (Of(plan, B).Reason, Of(plan, B).Detail));
        Assert.True(host.Kernel.Has(A));
        // Until its release or the end of its pause, in other boots too.
        host.Reboot(clean: true);
        host.GatesClosed = false;
        host.Tick();
        Assert.Equal(PatchState.Held, host.Lives[B].State);
        host.Record(RecordKind.Released, B, ModelHost.Digest("lp_b", 1));
        for (var i = 0; i < 12; i++)
        {
            host.Tick();
            host.Kernel.Complete();
        }
        Assert.Equal(PatchState.Soaking, host.Lives[B].State);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void In_transition_it_is_reversed_at_once()
    {
        var host = new ModelHost { Soak = Core.Config.SoakSettings.Default };
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Tick();
        host.Kernel.WarnCount++;
        var plan = host.Tick();
        Assert.Equal((A, Reason.KernelWarning), (plan.Steps[0].Name, Assert.IsType<PlanStep.Reverse>(plan.Steps[0]).Why));
        Assert.Contains("warn_count", plan.Steps[0].DetailOrNull, StringComparison.Ordinal);
        Assert.Equal(PatchState.Reversing, host.Lives[A].State);
        // However long it takes, it is not enabled again.
        host.Wait(TimeSpan.FromHours(1));
        plan = host.Tick();
        Assert.IsType<PlanStep.Await>(Assert.Single(plan.Steps));
        Assert.Equal(Reason.TransitionOverdue, Of(plan, A).Reason);
        host.Kernel.Complete();
        host.Kernel.Free();
        host.Tick();
        host.Tick();
        // The pause of a suspect is over by now.
        Assert.Equal(PatchState.Staged, host.Lives[A].State);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void A_disable_for_cause_is_never_taken_back()
    {
        var host = Host("lp_a");
        host.Kernel.WarnCount++;
        host.Tick();
        Assert.Equal(Reason.KernelWarning, Of(host.Tick(), A).Reason);
        host.Wait(TimeSpan.FromHours(1));
        Assert.IsType<PlanStep.Await>(Assert.Single(host.Tick().Steps));
        Assert.Equal(PatchState.Reverting, host.Lives[A].State);
        // An operator may force it out.
        host.ForceAsked = A;
        Assert.IsType<PlanStep.Force>(host.Tick().Steps[0]);
    }

    [Fact]
    public void A_disable_that_was_begun_and_taken_back_is_begun_again()
    {
        var host = Host("lp_a");
        host.Files.Clear();
        host.Tick();
        host.Wait(TimeSpan.FromMinutes(3));
        Assert.IsType<PlanStep.Reenable>(host.Tick().Steps[0]);
        Accuse(host, "lp_a");
        Assert.IsType<PlanStep.Reverse>(host.Tick().Steps[0]);
        Assert.Equal(KernelPatchState.Disabling, host.Kernel.Observe("b").Patches.Single().State);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void What_failed_before_does_not_make_it_wait()
    {
        var host = Host("lp_a");
        host.Append(new JournalRecord(RecordKind.RevertFailed, A, host.Boot, host.Now, ModelHost.Digest("lp_a", 1), Reason: Reason.RevertRefused));
        Accuse(host, "lp_a");
        Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void What_the_kernel_refuses_to_take_out_leaves_by_reboot_alone()
    {
        var host = Host("lp_a");
        Accuse(host, "lp_a");
        host.Append(new JournalRecord(RecordKind.RevertFailed, A, host.Boot, host.Now, ModelHost.Digest("lp_a", 1), Reason: Reason.RevertRefused, Errno: Errno.EINVAL));
        var plan = host.Tick();
        Assert.Empty(plan.Steps);
        Assert.Equal((PatchState.Quarantined, Reason.RebootToLeave, $"kernel-warning: {Evidence}"), (host.Lives[A].State, Of(plan, A).Reason!.Value, Of(plan, A).Detail!));
        host.Wait(TimeSpan.FromDays(1));
        Assert.Empty(host.Tick().Steps);
        // An operator's word is another try.
        host.Record(RecordKind.OperatorReverted, A);
        Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]);
        // After the reboot it is not loaded.
        host.Reboot(clean: true);
        Assert.Empty(host.Tick().Steps);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void A_reversal_that_the_kernel_refused_is_not_tried_again()
    {
        var host = new ModelHost { Soak = Core.Config.SoakSettings.Default };
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Tick();
        Accuse(host, "lp_a");
        host.Append(new JournalRecord(RecordKind.RevertFailed, A, host.Boot, host.Now, ModelHost.Digest("lp_a", 1), Reason: Reason.RevertRefused));
        var plan = host.Tick();
        Assert.IsType<PlanStep.Await>(Assert.Single(plan.Steps));
        Assert.Equal((PatchState.Transitioning, Reason.RebootToLeave), (host.Lives[A].State, Of(plan, A).Reason));
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void What_its_author_calls_unsafe_stays_until_reboot_or_an_operator_takes_it_out()
    {
        var host = Host(Unsafe, "lp_a");
        host.Kernel.WarnCount++;
        var plan = host.Tick();
        Assert.Empty(plan.Steps);
        Assert.Equal((PatchState.Quarantined, Reason.RebootToLeave), (host.Lives[A].State, Of(plan, A).Reason));
        // Released in the kernel, it is on probation again.
        host.Record(RecordKind.Released, A, ModelHost.Digest("lp_a", 1));
        host.Tick();
        Assert.Equal(PatchState.Soaking, host.Lives[A].State);
        host.Kernel.WarnCount++;
        host.Tick();
        host.GatesClosed = true;
        host.Record(RecordKind.OperatorReverted, A);
        Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void Unsafe_or_not_a_transition_is_reversed()
    {
        var host = new ModelHost { Soak = Core.Config.SoakSettings.Default };
        host.Files["lp_a"] = ModelHost.File("lp_a", 1) with { Manifest = Unsafe };
        host.Tick();
        host.Kernel.WarnCount++;
        Assert.IsType<PlanStep.Reverse>(host.Tick().Steps[0]);
    }

    [Fact]
    public void Nothing_is_done_while_nothing_may_be_changed()
    {
        var host = Host("lp_a");
        Accuse(host, "lp_a");
        var plan = Planner.Decide(host.Input() with { Bar = Reason.ObserveMode });
        Assert.Empty(plan.Steps);
        Assert.Equal((Core.Lifecycle.LifecycleEvent.Quarantined, Reason.ObserveMode), (Of(plan, A).Event, Of(plan, A).Reason!.Value));
        var running = new ModelHost();
        running.Files["lp_a"] = ModelHost.File("lp_a", 1);
        running.Tick();
        Accuse(running, "lp_a");
        plan = Planner.Decide(running.Input() with { Bar = Reason.ObserveMode });
        Assert.IsType<PlanStep.Await>(Assert.Single(plan.Steps));
        Assert.Equal(Reason.ObserveMode, Of(plan, A).Reason);

        var unconfirmed = Host("lp_a");
        unconfirmed.Record(RecordKind.Unconfirmed, A, ModelHost.Digest("lp_a", 1));
        plan = Planner.Decide(unconfirmed.Input() with { Bar = Reason.ObserveMode });
        Assert.Equal((Core.Lifecycle.LifecycleEvent.OnProbation, Reason.ObserveMode, "not-confirmed"), (Of(plan, A).Event, Of(plan, A).Reason!.Value, Of(plan, A).Detail!));
    }

    [Theory]
    [InlineData(Reason.JournalUnavailable)]
    [InlineData(Reason.CrashLoop)]
    public void A_bar_of_the_daemons_own_keeps_nobody_in_who_must_go(Reason bar)
    {
        var host = Host("lp_a", "lp_b");
        Accuse(host, "lp_a");
        var plan = Planner.Decide(host.Input() with { Bar = bar });
        Assert.Equal(new PlanStep.Disable(A, Reason.KernelWarning), plan.Steps[0]);
        Assert.IsType<PlanStep.Unload>(plan.Steps[1]);
        // Whoever is not accused stays as it is.
        host.Files.Remove("lp_b");
        Assert.DoesNotContain(Planner.Decide(host.Input() with { Bar = bar }).Steps, s => s.Name == PatchName.Parse("lp_b"));
    }

    [Theory]
    [InlineData(RecordKind.Quarantined, true)]
    [InlineData(RecordKind.Quarantined, false)]
    [InlineData(RecordKind.Unconfirmed, true)]
    [InlineData(RecordKind.Unconfirmed, false)]
    public void A_journal_that_was_damaged_while_its_ledger_was_known_keeps_nobody_in_who_must_go(RecordKind finding, bool stands)
    {
        void Find(ModelHost host) => host.Record(new JournalRecord(finding, A, host.Boot, host.Now, ModelHost.Digest("lp_a", 1), Reason: Reason.KernelWarning));
        PlannerInput Damaged(ModelHost host) => host.Input() with { Bar = Reason.JournalUnreadable, LedgerStands = stands };
        var host = Host("lp_a", "lp_b");
        Find(host);
        host.Files.Remove("lp_b");
        var plan = Planner.Decide(Damaged(host));
        Assert.Equal(stands ? [typeof(PlanStep.Disable), typeof(PlanStep.Unload)] : [], plan.Steps.Select(s => s.GetType()));
        // Whoever is not accused stays as it is.
        Assert.All(plan.Steps, s => Assert.Equal(A, s.Name));
        if (!stands)
            Assert.Equal(Reason.JournalUnreadable, Of(plan, A).Reason);

        var running = new ModelHost();
        running.Files["lp_a"] = ModelHost.File("lp_a", 1);
        running.Tick();
        Find(running);
        plan = Planner.Decide(Damaged(running));
        Assert.Equal(stands ? typeof(PlanStep.Reverse) : typeof(PlanStep.Await), plan.Steps[0].GetType());

        // It is removed too.
        host.Kernel.SetEnabled(A, false);
        host.Record(RecordKind.DisableIntent, A);
        host.Kernel.Complete();
        host.Kernel.Free();
        plan = Planner.Decide(Damaged(host));
        Assert.Equal(stands ? [typeof(PlanStep.Unload)] : [], plan.Steps.Select(s => s.GetType()));
    }

    [Fact]
    public void What_was_forced_and_found_guilty_leaves_by_reboot()
    {
        var host = new ModelHost { Soak = Core.Config.SoakSettings.Default };
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Tick();
        host.ForceAsked = A;
        host.Tick();
        host.Tick();
        Assert.Equal(PatchState.Forced, host.Lives[A].State);
        host.Kernel.WarnCount++;
        var plan = host.Tick();
        Assert.Empty(plan.Steps);
        Assert.Equal((PatchState.Quarantined, Reason.RebootToLeave), (host.Lives[A].State, Of(plan, A).Reason));
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void Not_confirmed_is_taken_out_without_a_gate_and_an_apply_brings_it_back()
    {
        var host = Host("lp_a");
        host.GatesClosed = true;
        host.Record(RecordKind.Unconfirmed, A, ModelHost.Digest("lp_a", 1));
        Assert.Equal(Reason.NotConfirmed, Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]).Why);
        host.Kernel.Complete();
        host.Kernel.Free();
        host.Tick();
        Assert.Equal(Reason.NotConfirmed, Of(host.Tick(), A).Reason);
        Assert.Equal(PatchState.Reverted, host.Lives[A].State);
        host.GatesClosed = false;
        host.Reboot(clean: true);
        host.Tick();
        Assert.Equal(PatchState.Reverted, host.Lives[A].State);
        // Another build is another matter.
        host.Files["lp_a"] = ModelHost.File("lp_a", 2);
        Assert.IsType<PlanStep.Load>(Planner.Decide(host.Input()).Steps[0]);
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Record(RecordKind.OperatorApplied, A);
        Assert.IsType<PlanStep.Load>(host.Tick().Steps[0]);
        Assert.Empty(host.Violations);
    }

    /// <summary>lp_d, cumulative, has replaced lp_a, which is still in the directory.</summary>
    private static ModelHost Replaced(Manifest? manifest, bool older = true)
    {
        var host = Host("lp_a");
        host.Confirm(A);
        host.Replacing.Add(D);
        if (older)
            host.Replacing.Add(A);
        host.Files["lp_d"] = ModelHost.File("lp_d", 1) with { Manifest = manifest };
        for (var i = 0; i < 6; i++)
        {
            host.Tick();
            host.Kernel.Complete();
            host.Kernel.Free();
        }
        Assert.Equal([D], host.Kernel.Active);
        Assert.Equal(PatchState.Superseded, host.Lives[A].State);
        return host;
    }

    [Fact]
    public void Where_its_author_says_that_it_is_safe_the_version_before_takes_its_place()
    {
        var host = Replaced(ModelHost.RollbackSafe);
        host.GatesClosed = true;
        host.Kernel.WarnCount++;
        var plan = host.Tick();
        Assert.Equal(new PlanStep.Load(A, ModelHost.Digest("lp_a", 1)), plan.Steps[0]);
        Assert.Equal((PatchState.Reverting, Reason.KernelWarning), (host.Lives[D].State, Of(plan, D).Reason));
        plan = host.Tick();
        Assert.DoesNotContain(plan.Steps, s => s is PlanStep.Disable);
        host.Kernel.Complete();
        for (var i = 0; i < 4; i++)
        {
            host.Tick();
            host.Kernel.Free();
        }
        // Never unpatched in between: the kernel exchanged them.
        Assert.Equal([A], host.Kernel.Active);
        Assert.False(host.Kernel.Has(D));
        Assert.Equal(PatchState.Held, host.Lives[D].State);
        Assert.Equal(PatchState.Active, host.Lives[A].State);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void A_version_before_that_does_not_replace_is_followed_by_the_disable()
    {
        var host = Replaced(ModelHost.RollbackSafe, older: false);
        host.Replacing.Remove(A);
        host.Kernel.WarnCount++;
        Assert.IsType<PlanStep.Load>(host.Tick().Steps[0]);
        host.Kernel.Complete();
        Assert.Equal(D, Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]).Name);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void A_version_before_that_does_not_load_is_followed_by_the_disable()
    {
        var host = Replaced(ModelHost.RollbackSafe);
        host.Kernel.Refuses.Add(ModelHost.Digest("lp_a", 1));
        host.Kernel.WarnCount++;
        Assert.IsType<PlanStep.Load>(host.Tick().Steps[0]);
        Assert.Equal(D, Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]).Name);
        Assert.Empty(host.Violations);
    }

    public static TheoryData<string> Unfit { get; } = ["nothing said", "unsafe", "file gone", "other build", "quarantined", "not confirmed", "reverted", "early", "two before", "by hand", "in the kernel", "manifest gone", "two files"];

    [Theory]
    [MemberData(nameof(Unfit))]
    public void Without_a_fit_version_before_it_is_disabled(string what)
    {
        var host = Replaced(what switch { "nothing said" => null, "unsafe" => Unsafe, _ => ModelHost.RollbackSafe });
        switch (what)
        {
            case "file gone": host.Files.Remove("lp_a"); break;
            case "other build": host.Files["lp_a"] = ModelHost.File("lp_a", 2); break;
            case "two files": host.Files["lp_a2"] = ModelHost.File("lp_a", 2); break;
            case "quarantined": Accuse(host, "lp_a"); break;
            case "not confirmed": host.Record(RecordKind.Unconfirmed, A, ModelHost.Digest("lp_a", 1)); break;
            case "reverted": host.Record(RecordKind.OperatorReverted, A); break;
            case "early":
                host.BootComplete = false;
                Accuse(host, "lp_a");
                host.Record(RecordKind.Released, A, ModelHost.Digest("lp_a", 1));
                break;
            case "two before":
                host.Append(new JournalRecord(RecordKind.Superseded, B, host.Boot, host.Now, ModelHost.Digest("lp_b", 1), By: D, ByDigest: ModelHost.Digest("lp_d", 1)));
                break;
            case "by hand":
                host.Append(new JournalRecord(RecordKind.DisabledByHand, A, host.Boot, host.Now, ModelHost.Digest("lp_a", 1)));
                break;
            case "in the kernel": host.LoadByHand("lp_a", 2); host.Kernel.Complete(); break;
            case "manifest gone": host.Files["lp_d"] = ModelHost.File("lp_d", 1); break;
        }
        Accuse(host, "lp_d");
        var plan = host.Tick();
        if (what is "unsafe")
            Assert.Empty(plan.Steps);
        else
            Assert.Equal(D, Assert.IsType<PlanStep.Disable>(plan.Steps[0]).Name);
    }

    [Fact]
    public void A_quarantined_or_unconfirmed_patch_that_somebody_loads_is_not_taken_over()
    {
        foreach (var kind in new[] { RecordKind.Quarantined, RecordKind.Unconfirmed })
        {
            var host = new ModelHost();
            host.Files["lp_a"] = ModelHost.File("lp_a", 1);
            host.Record(kind, A, ModelHost.Digest("lp_a", 1));
            host.LoadByHand("lp_a", 1);
            host.Kernel.Complete();
            Assert.Empty(host.Tick().Steps);
            Assert.Equal(PatchState.Foreign, host.Lives[A].State);
            Assert.Contains(A, host.Kernel.Active);
        }
    }

    [Fact]
    public void An_adopted_patch_soaks_and_is_judged_from_then_on()
    {
        var host = new ModelHost { Soak = Core.Config.SoakSettings.Default };
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Kernel.WarnCount = 7;
        host.LoadByHand("lp_a", 1);
        host.Kernel.Complete();
        for (var i = 0; i < 3; i++)
            host.Tick();
        Assert.Equal(PatchState.Soaking, host.Lives[A].State);
        host.Kernel.WarnCount++;
        Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]);
    }

    [Fact]
    public void New_patches_wait_for_the_end_of_the_boot_and_confirmed_ones_do_not()
    {
        var host = Host("lp_a");
        host.Confirm(A);
        host.Files["lp_b"] = ModelHost.File("lp_b", 1);
        host.Reboot(clean: true);
        host.BootComplete = false;
        var plan = host.Tick();
        Assert.Equal(A, Assert.IsType<PlanStep.Load>(Assert.Single(plan.Steps)).Name);
        Assert.Equal((Reason.BootNotComplete, PatchState.Held), (Of(plan, B).Reason!.Value, host.Lives[B].State));
        host.Kernel.Complete();
        host.Tick();
        Assert.Equal(PatchState.Active, host.Lives[A].State);
        host.BootComplete = true;
        Assert.Equal(B, Assert.IsType<PlanStep.Load>(host.Tick().Steps[0]).Name);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void A_successor_that_nobody_confirmed_protects_nobody()
    {
        var host = Replaced(null);
        host.Record(RecordKind.Unconfirmed, D, ModelHost.Digest("lp_d", 1));
        for (var i = 0; i < 6; i++)
        {
            host.Tick();
            host.Kernel.Complete();
            host.Kernel.Free();
        }
        Assert.Equal([A], host.Kernel.Active);
        Assert.Equal(PatchState.Reverted, host.Lives[D].State);
        Assert.Empty(host.Violations);
    }

    [Fact]
    public void What_left_for_cause_says_why_it_is_gone()
    {
        var host = Host("lp_a");
        Accuse(host, "lp_a");
        host.Tick();
        host.Kernel.Complete();
        host.Kernel.Free();
        host.Kernel.Unload(A);
        var gone = Assert.Single(Bookkeeping.Learn(host.Kernel.Observe(host.Boot), host.Ledger, null, host.Now));
        Assert.Equal((RecordKind.Gone, Reason.KernelWarning), (gone.Kind, gone.Reason));
    }
}
