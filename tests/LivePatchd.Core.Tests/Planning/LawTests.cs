// The laws of the core, over random walks of files, people, kernel and crashes.
using System.Collections.Immutable;
using CsCheck;
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

public sealed class LawTests
{
    private static readonly string[] Names = ["lp_a", "lp_b", "lp_c", "lp_d"];

    /// <summary>One thing that happens: what, to whom, in which build.</summary>
    private static readonly Gen<(int What, int Who, int Build)[]> Walks =
        Gen.Select(Gen.Int[0, 33], Gen.Int[0, 3], Gen.Int[1, 2]).Array[1, 80];

    private static void Happen(ModelHost host, int what, int who, int build)
    {
        var text = Names[who];
        var name = PatchName.Parse(text);
        switch (what)
        {
            case 0 or 1: host.Files[text] = ModelHost.File(text, build) with { Manifest = host.Manifests.GetValueOrDefault(text) }; break;
            case 2: host.Files.Remove(text); break;
            case 3: host.Record(RecordKind.OperatorReverted, name); break;
            case 4: host.Record(RecordKind.OperatorApplied, name); break;
            case 5: host.LoadByHand(text, build); break;
            case 6: host.Kernel.SetEnabled(name, false); break;
            case 7: host.Kernel.Unload(name); break;
            case 8 or 9: host.Kernel.Complete(); break;
            case 10: host.Kernel.Free(); break;
            case 11: host.Restart(); break;
            case 12: host.Kernel.FtraceEnabled = !host.Kernel.FtraceEnabled; break;
            case 13: host.Record(RecordKind.Quarantined, name, ModelHost.Digest(text, build)); break;
            case 14: host.Tick(dieBefore: true); break;
            case 15: host.Tick(dieAfter: true); break;
            case 16: host.GatesClosed = !host.GatesClosed; break;
            case 17: host.Wait(TimeSpan.FromMinutes(3)); break;
            case 18: host.UnderPressure = !host.UnderPressure; break;
            case 19: host.JumpYears(build is 1 ? 10 : -10); break;
            case 20: host.Record(RecordKind.OperatorApplied, name, overrideGates: true); break;
            case 21: host.Kernel.WarnCount++; break;
            // A quarantine and the look that shows it are of one round of the loop: nobody releases what is shown as active.
            case 22 when host.Lives.GetValueOrDefault(name)?.State is not PatchState.Active || !host.Ledger.Quarantined.ContainsKey(ModelHost.Digest(text, build)):
                host.Record(RecordKind.Released, name, ModelHost.Digest(text, build));
                break;
            case 23: host.Confirm(name); break;
            case 24: host.Reboot(clean: build is 1); break;
            case 25: host.BootComplete = !host.BootComplete; break;
            case 26: Crash(host, before: build is 1); break;
            case 27: host.BootWaitIsOver = !host.BootWaitIsOver; break;
            default: host.Tick(); break;
        }
    }

    /// <summary>The host goes down inside a call, or right after it.</summary>
    private static void Crash(ModelHost host, bool before)
    {
        host.OnDeath = () => host.Reboot(clean: false);
        host.Tick(dieBefore: before, dieAfter: !before);
        host.OnDeath = null;
    }

    private static ModelHost Walk((int What, int Who, int Build)[] walk, bool knowsReplace, SoakSettings? soak = null)
    {
        var host = new ModelHost { Kernel = new ModelKernel { KnowsReplace = knowsReplace }, Soak = soak ?? SoakSettings.Default with { Duration = TimeSpan.Zero } };
        host.Manifests["lp_d"] = ModelHost.RollbackSafe;
        host.Replacing.Add(PatchName.Parse("lp_d"));
        host.Kernel.Refuses.Add(ModelHost.Digest("lp_c", 2));
        foreach (var (what, who, build) in walk)
            Happen(host, what, who, build);
        return host;
    }

    /// <summary>The world holds still and the kernel finishes what it began.</summary>
    private static Plan Settle(ModelHost host)
    {
        host.Kernel.FtraceEnabled = true;
        host.GatesClosed = false;
        host.UnderPressure = false;
        host.BootComplete = true;
        Plan plan = host.Tick();
        for (var i = 0; i < 200 && !(plan.Steps.IsEmpty && i > 20); i++)
        {
            host.Kernel.Complete();
            host.Kernel.Free();
            host.Wait(TimeSpan.FromMinutes(10));
            plan = host.Tick();
        }
        return plan;
    }

    [Fact]
    public void No_walk_breaks_a_law() => Gen.Select(Walks, Gen.Bool).Sample((walk, knows) =>
    {
        var host = Walk(walk, knows);
        Assert.Empty(host.Violations);
    }, iter: Cases.Of(20_000));

    [Fact]
    public void Every_walk_settles_and_the_settled_plan_is_empty() => Gen.Select(Walks, Gen.Bool).Sample((walk, knows) =>
    {
        var host = Walk(walk, knows);
        var plan = Settle(host);
        Assert.Empty(host.Violations);
        Assert.Empty(plan.Steps);
        Assert.Empty(Planner.Decide(host.Input()).Steps);
    }, iter: Cases.Of(5_000));

    [Fact]
    public void What_settles_as_active_is_what_the_directory_wants_and_the_kernel_has() => Gen.Select(Walks, Gen.Bool).Sample((walk, knows) =>
    {
        var host = Walk(walk, knows);
        var plan = Settle(host);
        foreach (var (name, life) in host.Lives.Where(l => l.Value.State is PatchState.Active))
        {
            Assert.Contains(name, host.Kernel.Active);
            if (host.Ledger.RevertFailures.ContainsKey(name))
                continue; // It could not be taken out, and says so.
            // What would not be let in does not cost the host the build that works, and it is said.
            if (plan.Verdicts.Single(v => v.Name == name).Reason is not null)
                continue;
            Assert.Equal(host.Files[name.Value].Module.BuildId, host.Kernel.BuildOf(name));
        }
        foreach (var name in host.Ledger.Owned.Keys.Where(n => host.Kernel.Active.Contains(n)))
            Assert.Equal(PatchState.Active, host.Lives[name].State);
    }, iter: Cases.Of(5_000));

    [Fact]
    public void A_wanted_patch_that_nothing_stands_against_becomes_active() => Gen.Int[0, 3].Array[1, 4].Sample(order =>
    {
        var host = new ModelHost();
        foreach (var who in order)
            host.Files[Names[who]] = ModelHost.File(Names[who], 1);
        Settle(host);
        Assert.All(order, who => Assert.Contains(PatchName.Parse(Names[who]), host.Kernel.Active));
        Assert.Equal(order.Distinct().Count(), host.Kernel.Loads);
    });

    [Fact]
    public void No_walk_breaks_a_law_when_somebody_must_confirm() => Gen.Select(Walks, Gen.Bool).Sample((walk, knows) =>
    {
        var host = Walk(walk, knows, new SoakSettings(TimeSpan.FromMilliseconds(200), SoakConfirm.Manual, SoakSettings.Default.Checks));
        Settle(host);
        Assert.Empty(host.Violations);
        foreach (var owned in host.Ledger.Owned.Values.Where(o => host.Kernel.Active.Contains(o.Name)))
            Assert.Contains(owned.Digest, host.Ledger.Confirmed);
    }, iter: Cases.Of(5_000));

    /// <summary>Found by the random walks: the old patch has left the kernel in the same look in which its successor is found to do harm.</summary>
    [Fact]
    public void Walk_SuccessorMustGoWhenTheOldOneHasJustGone_GoesAtOnce()
    {
        (int, int, int)[] walk = [(0, 0, 2), (28, 3, 2), (6, 0, 2), (8, 0, 2), (1, 3, 2), (32, 0, 1), (10, 3, 1), (14, 0, 2), (9, 3, 2), (21, 0, 1)];
        var host = Walk(walk, knowsReplace: false, new SoakSettings(TimeSpan.FromMilliseconds(200), SoakConfirm.Manual, SoakSettings.Default.Checks));
        Settle(host);
        Assert.Empty(host.Violations);
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public void Walk_PatchThatPanics_IsLoadedOnceWhereTheKernelSaysSoAndTwiceElsewhere(bool keepsDumps, int most) => Walks.Sample(walk =>
    {
        // It panics inside its load, whenever that comes: in the walk, and in five boots after it.
        var host = new ModelHost { Soak = SoakSettings.Default, KeepsDumps = keepsDumps };
        host.Kernel.Panics.Add(ModelHost.Digest("lp_a", 1));
        foreach (var (what, who, build) in walk.Where(w => w.What is not (5 or 22)))
            Happen(host, what, who, build);
        for (var boot = 0; boot < 5; boot++)
        {
            host.Files["lp_a"] = ModelHost.File("lp_a", 1);
            host.GatesClosed = false;
            host.BootComplete = true;
            for (var i = 0; i < 10; i++)
                host.Tick();
            // A suspect is tried again.
            host.Wait(TimeSpan.FromHours(1));
            for (var i = 0; i < 10; i++)
                host.Tick();
            host.Reboot(clean: false);
        }
        Assert.InRange(host.Panics, 0, most);
        Assert.Empty(host.Violations);
    }, iter: Cases.Of(2_000));

    [Fact]
    public void Decide_SuspectedAnyNumberOfTimes_ComesBackByItself() => Gen.Int[0, 5].Array[1, 40].Sample(events =>
    {
        var host = new ModelHost { Soak = SoakSettings.Default, BootComplete = true };
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Files["lp_b"] = ModelHost.File("lp_b", 1);
        foreach (var what in events)
        {
            switch (what)
            {
                case 0 or 1:
                    Ticks(10);
                    break;
                case 2 or 3:
                    Suspect(what is 2 ? "lp_a" : "lp_b");
                    break;
                case 4:
                    host.Reboot(clean: true);
                    host.BootComplete = true;
                    break;
                default:
                    host.Wait(TimeSpan.FromMinutes(6));
                    break;
            }
        }
        // One at a time, and each not before the soak of the one before.
        for (var day = 0; day < 3; day++)
        {
            host.Wait(TimeSpan.FromHours(25));
            Ticks(20);
        }
        Assert.All(["lp_a", "lp_b"], n => Assert.Contains(PatchName.Parse(n), host.Kernel.Active));
        Assert.Empty(host.Ledger.Quarantined);
        Assert.Empty(host.Violations);
        void Ticks(int count)
        {
            for (var i = 0; i < count; i++)
            {
                host.Tick();
                host.Kernel.Complete();
                host.Kernel.Free();
            }
        }

        void Suspect(string text)
        {
            if (host.Ledger.Owned.GetValueOrDefault(PatchName.Parse(text)) is not { } owned || host.Ledger.Against(owned) is not null)
                return;
            host.Append(new JournalRecord(RecordKind.Quarantined, owned.Name, host.Boot, host.Now, owned.Digest, Reason: Reason.KernelWarning) { Content = owned.Content, Grade = EvidenceGrade.Suspect });
        }
    }, iter: Cases.Of(2_000));

    [Fact]
    public void Confirmed_only_after_soak() => Gen.Select(Walks, Gen.Bool).Sample((walk, knows) =>
    {
        var host = new ModelHost { Kernel = new ModelKernel { KnowsReplace = knows }, Soak = SoakSettings.Default with { Duration = TimeSpan.FromMilliseconds(500) } };
        foreach (var (what, who, build) in walk)
        {
            Happen(host, what, who, build);
            if (what < 28)
                continue; // Nothing is planned: the states are those of the last look.
            foreach (var (name, _) in host.Lives.Where(l => l.Value.State is PatchState.Active))
                Assert.True(host.Ledger.Owned.GetValueOrDefault(name) is not { } owned || host.Ledger.Confirmed.Contains(owned.Digest) || !host.Kernel.Active.Contains(name));
        }
        Assert.Empty(host.Violations);
    }, iter: Cases.Of(5_000));

    [Fact]
    public void A_quarantined_digest_is_never_loaded_before_its_release() => Walks.Sample(walk =>
    {
        var host = new ModelHost();
        host.Record(RecordKind.Quarantined, PatchName.Parse("lp_a"), ModelHost.Digest("lp_a", 1));
        foreach (var (what, who, _) in walk.Where(w => w.What is not (5 or 22)))
            Happen(host, what, who, 1);
        Settle(host);
        Assert.False(host.Kernel.Has(PatchName.Parse("lp_a")));

        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Record(RecordKind.Released, PatchName.Parse("lp_a"), ModelHost.Digest("lp_a", 1));
        host.Record(RecordKind.OperatorApplied, PatchName.Parse("lp_a"));
        Settle(host);
        Assert.True(host.Kernel.Has(PatchName.Parse("lp_a")) || host.Files.ContainsKey("lp_d"));
    }, iter: Cases.Of(2_000));

    [Fact]
    public void The_wall_clock_changes_nothing() => Gen.Select(Walks, Gen.Bool).Sample((walk, knows) =>
    {
        var still = Walk([.. walk.Where(w => w.What != 19)], knows);
        var jumped = Walk(walk, knows);
        Assert.Equal(still.Tick().Steps, jumped.Tick().Steps);
        Assert.Equal(still.Kernel.Loads, jumped.Kernel.Loads);
    }, iter: Cases.Of(5_000));

    [Fact]
    public void What_is_forced_is_the_last_change_of_the_boot() => Walks.Sample(walk =>
    {
        var host = new ModelHost();
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Tick();
        host.ForceAsked = PatchName.Parse("lp_a");
        host.Tick();
        var loads = host.Kernel.Loads;
        foreach (var (what, who, build) in walk.Where(w => w.What is not (5 or 6 or 7 or 13 or 21 or 24 or 26)))
            Happen(host, what, who, build);
        host.Tick();
        Assert.Empty(host.Violations);
        Assert.Equal(loads, host.Kernel.Loads);
        Assert.Equal(PatchState.Forced, host.Lives[PatchName.Parse("lp_a")].State);
    }, iter: Cases.Of(1_000));

    [Fact]
    public void Every_hold_has_a_reason_of_the_closed_list() => Gen.Select(Walks, Gen.Bool).Sample((walk, knows) =>
    {
        var plan = Walk(walk, knows).Tick();
        Assert.All(plan.Holds, h => Assert.Same(ReasonTable.Parse(h.Reason.Word()), h.Reason.Info()));
    }, iter: Cases.Of(2_000));
}
