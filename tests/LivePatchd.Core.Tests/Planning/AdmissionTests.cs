// What stands against a load, one by one: kernel, manifest, failures of the past.
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

public sealed class AdmissionTests
{
    private static readonly Scene Free = new();

    private static void Stands(Scene scene, LifecycleEvent e, Reason reason, string? detail = null, double? retryAt = null)
    {
        Assert.Empty(scene.Plan.Steps);
        Assert.Equal((e, (Reason?)reason), (scene.Verdict.Event, scene.Verdict.Reason));
        if (detail is not null)
            Assert.Contains(detail, scene.Verdict.Detail, StringComparison.Ordinal);
        Assert.Equal(retryAt is { } second ? Scene.At(second) : (Instant?)null, scene.Verdict.RetryAt);
    }

    private static Scene With(Manifest manifest) => Free with { Wanted = [Scene.File(manifest)] };

    private static Scene After(params JournalRecord[] records) => Free with { Journal = [.. records] };

    [Fact]
    public void Nothing_in_the_way() => Assert.Equal(new PlanStep.Load(Scene.Name, Scene.Digest), Assert.Single(Free.Plan.Steps));

    [Fact]
    public void The_kernel_may_refuse()
    {
        Stands(Free with { Kernel = Free.Kernel with { LivepatchPresent = false } }, LifecycleEvent.CannotPatch, Reason.LivepatchAbsent);
        Stands(Free with { Kernel = Free.Kernel with { CanLoadModules = false } }, LifecycleEvent.CannotPatch, Reason.NoPrivilege);
        Stands(Free with { Kernel = Free.Kernel with { ModulesDisabled = true } }, LifecycleEvent.Blocked, Reason.ModulesDisabled);
        Stands(Free with { Kernel = Free.Kernel with { SignatureEnforced = true } }, LifecycleEvent.Refused, Reason.SignatureRequired);
        Stands(Free with { Kernel = Free.Kernel with { Lockdown = LockdownLevel.Integrity } }, LifecycleEvent.Refused, Reason.LockedDown);
        Stands(Free with { Kernel = Free.Kernel with { FtraceEnabled = false } }, LifecycleEvent.Blocked, Reason.FtraceDisabled, "kernel.ftrace_enabled=0", 1015);
        Stands(Free with { Bar = Reason.ObserveMode }, LifecycleEvent.Blocked, Reason.ObserveMode);
        var file = Scene.File(null);
        var signed = Free with { Wanted = [file with { Module = file.Module with { Info = file.Module.Info with { Signed = true } } }] };
        Assert.Single((signed with { Kernel = Free.Kernel with { SignatureEnforced = true, Lockdown = LockdownLevel.Confidentiality } }).Plan.Steps);
    }

    [Fact]
    public void The_manifest_must_be_that_of_this_build()
    {
        Stands(With(Scene.Plain with { Name = PatchName.Parse("other") }), LifecycleEvent.Refused, Reason.ManifestMismatch, "name: other, the module says lp_a");
        Stands(With(Scene.Plain with { Sha256 = ModelHost.Digest("lp_a", 2) }), LifecycleEvent.Refused, Reason.ManifestMismatch, "sha256: ");
        Stands(With(Scene.Plain with { Kernels = ["6.1.0", "6.2.0"] }), LifecycleEvent.Refused, Reason.ManifestMismatch, "kernels: 6.1.0, 6.2.0, running 6.12.0");
        Stands(With(Scene.Plain with { Gates = new GateOverrides { Settle = TimeSpan.Zero } }), LifecycleEvent.Refused, Reason.ManifestMismatch, "gates.settle");
        Stands(With(Scene.Plain with { Soak = new SoakOverrides { Oops = CheckWeight.Off } }), LifecycleEvent.Refused, Reason.ManifestMismatch, "soak.checks.oops");
        Stands(With(Scene.Plain with { NotInForce = ["conflicts"] }), LifecycleEvent.Blocked, Reason.ManifestNotInForce, "conflicts");
        Assert.Single(With(Scene.Plain with { Name = Scene.Name, Sha256 = Scene.Digest, Kernels = ["6.12.0"], NotAfter = Scene.At(1001).Wall, NotBefore = Scene.At(999).Wall }).Plan.Steps);
    }

    [Fact]
    public void The_manifest_has_its_dates()
    {
        Stands(With(Scene.Plain with { NotAfter = Scene.At(999).Wall }), LifecycleEvent.Refused, Reason.Expired);
        Stands(With(Scene.Plain with { NotBefore = Scene.At(1060).Wall }), LifecycleEvent.Blocked, Reason.NotYetValid, "not-before", 1060);
        Stands(With(Scene.Plain with { NotBefore = Scene.At(100_000).Wall }), LifecycleEvent.Blocked, Reason.NotYetValid, "not-before", 1000 + 3600);
    }

    [Fact]
    public void What_must_be_loaded_first_is_waited_for_where_it_is_wanted()
    {
        var second = With(Scene.Plain with { After = [PatchName.Parse("lp_b")] });
        Assert.Single(second.Plan.Steps);
        var both = second with { Wanted = [.. second.Wanted, ModelHost.File("lp_b", 1)] };
        Assert.Equal("lp_b", Assert.Single(both.Plan.Steps).Name.Value);
        Assert.Equal((Reason.WaitingForOthers, "after lp_b"), (both.Verdict.Reason!.Value, both.Verdict.Detail!));
        Assert.NotEqual(Reason.WaitingForOthers, (both with { Patches = [Scene.Loaded(KernelPatchState.Active, "lp_b")] }).Verdict.Reason);
        Assert.Equal(Reason.WaitingForOthers, (both with { Patches = [Scene.Loaded(KernelPatchState.Enabling, "lp_b")] }).Verdict.Reason);
    }

    [Fact]
    public void Failures_are_remembered_by_their_kind()
    {
        Stands(After(Scene.Record(RecordKind.LoadFailed, 999, reason: Reason.SymbolNotFound, detail: "no such symbol")), LifecycleEvent.Refused, Reason.SymbolNotFound, "no such symbol");
        Stands(After(Scene.Record(RecordKind.LoadFailed, 999, reason: Reason.OutOfMemory)), LifecycleEvent.Blocked, Reason.OutOfMemory, null, 999 + 300);
        Assert.Single(After(Scene.Record(RecordKind.LoadFailed, 100, reason: Reason.OutOfMemory)).Plan.Steps);
        // The sysctl itself is looked at: its cause is gone.
        Assert.Single(After(Scene.Record(RecordKind.LoadFailed, 999, reason: Reason.FtraceDisabled)).Plan.Steps);
        Assert.Single(After(Scene.Record(RecordKind.LoadFailed, 999, reason: Reason.ModulesDisabled)).Plan.Steps);
        JournalRecord[] stalled(string? detail) => [.. Enumerable.Range(0, 5).Select(i => Scene.Record(RecordKind.LoadFailed, i, reason: Reason.TransitionStalled, detail: detail))];
        Stands(After(stalled("open for 120 s")), LifecycleEvent.Blocked, Reason.AttemptsExhausted, "5 attempts, the last: transition-stalled: open for 120 s");
        Assert.EndsWith("transition-stalled", After(stalled(null)).Verdict.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Trust_is_asked_for_before_anything_that_waits()
    {
        Stands(After(Scene.Record(RecordKind.Quarantined, 5, reason: Reason.KernelOops, detail: "oops_count 0 -> 1")) with { Bar = Reason.ObserveMode },
            LifecycleEvent.Quarantined, Reason.KernelOops, "oops_count 0 -> 1");
        Stands(After(Scene.Record(RecordKind.Quarantined, 5)), LifecycleEvent.Quarantined, Reason.KernelRefused);
        Stands(After(Scene.Record(RecordKind.Unconfirmed, 5)), LifecycleEvent.Out, Reason.NotConfirmed);
        Stands(After(Scene.Record(RecordKind.Forced, 5, "lp_b")), LifecycleEvent.Blocked, Reason.ForcedUntilReboot, "forced: lp_b");
    }

    [Fact]
    public void Boot_AskedForByAPerson_IsNotWaitedFor()
    {
        var asked = Scene.Record(RecordKind.OperatorApplied, 5);
        Assert.Single(Planner.Decide(After(asked).Input with { BootComplete = false }).Steps);
        Assert.Equal(Reason.BootNotComplete, Planner.Decide(After(asked with { WaitsForBoot = true }).Input with { BootComplete = false }).Verdicts[0].Reason);
        Assert.Equal(Reason.BootNotComplete, Planner.Decide(After(asked with { BootId = "before" }).Input with { BootComplete = false }).Verdicts[0].Reason);
        // Spent by the load: what comes of the name later in this boot was not meant.
        Assert.Empty(After(asked, Scene.Record(RecordKind.LoadIntent, 6), Scene.Record(RecordKind.Abandoned, 7)).Input.Ledger.AskedFor);
        Assert.Empty(After(asked, Scene.Record(RecordKind.OperatorReverted, 6)).Input.Ledger.AskedFor);
    }

    [Fact]
    public void Boot_StuckOrWaitedFor_TheHolderIsNamed()
    {
        var waiting = Planner.Decide(Free.Input with { BootComplete = false, BootHolder = "hangs.service/start", BootWaitEnds = Scene.At(1200) });
        Assert.Equal((Reason.BootNotComplete, "the boot waits for hangs.service/start"), (waiting.Verdicts[0].Reason, waiting.Verdicts[0].Detail));
        Assert.Equal(Scene.At(1200), waiting.WakeAt);
        var stuck = Planner.Decide(Free.Input with { BootStuck = true, BootHolder = "hangs.service/start" });
        Assert.Equal((LifecycleEvent.Ready, Reason.BootStuck, "the boot waits for hangs.service/start"), (stuck.Verdicts[0].Event, stuck.Verdicts[0].Reason, stuck.Verdicts[0].Detail));
        Assert.Single(stuck.Steps);
        Assert.Empty(stuck.Holds);
    }

    [Fact]
    public void A_boot_is_waited_for_last()
    {
        Assert.Equal(Reason.BootNotComplete, Planner.Decide(Free.Input with { BootComplete = false }).Verdicts[0].Reason);
        Assert.Single(Planner.Decide(After(Scene.Record(RecordKind.Confirmed, 5)).Input with { BootComplete = false }).Steps);
        Assert.Equal(Reason.ModulesDisabled, Planner.Decide((Free with { Kernel = Free.Kernel with { ModulesDisabled = true } }).Input with { BootComplete = false }).Verdicts[0].Reason);
    }
}
