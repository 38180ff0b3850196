// One name in every situation: what is said of it, and what is done.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

public sealed class AssessorTests
{
    private static readonly Scene Active = new() { Patches = [Scene.Loaded(KernelPatchState.Active)], Journal = Scene.Active };

    private static Scene Ours(KernelPatchState state, params JournalRecord[] more) =>
        new() { Patches = [Scene.Loaded(state)], Journal = [.. Scene.Active, .. more] };

    private static void Says(Scene scene, LifecycleEvent e, Reason? reason, params string[] actions)
    {
        Assert.Equal((e, reason), (scene.Verdict.Event, scene.Verdict.Reason));
        Assert.Equal(actions, scene.Plan.Steps.Select(s => s.Action));
    }

    [Theory]
    [InlineData("vmlinux", true, true, null)]
    [InlineData("virtio_blk", true, true, null)]
    [InlineData("virtio_blk", false, false, null)]
    [InlineData("virtio_blk", null, true, null)] // before 6.1 the kernel does not say
    [InlineData("virtio_blk", false, true, Reason.ObjectNotPatched)]
    [InlineData("vmlinux", false, true, Reason.ObjectNotPatched)]
    [InlineData("virtio-blk", false, false, Reason.ObjectNeverMatches)]
    [InlineData("zfs.ko", null, false, Reason.ObjectNeverMatches)]
    [InlineData(null, null, null, Reason.ObjectNeverMatches)]
    public void APatchThatIsComplete_WithAnObjectThatItHasNoEffectOn_SaysSo(string? name, bool? patched, bool? loaded, Reason? expected)
    {
        var there = Scene.Loaded(KernelPatchState.Active) with
        {
            Objects = name is null ? [] : [new LivepatchObject("vmlinux", true, ["f"]), new LivepatchObject(name, patched, ["g"]) { IsTargetLoaded = loaded }],
        };
        var scene = Active with { Patches = [there] };
        Says(scene, LifecycleEvent.Patched, expected);
        if (expected is not null && name is not null)
            Assert.Contains(name, scene.Verdict.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void AForeignPatch_WithADotInItsName_CountsInFull()
    {
        var odd = Scene.Loaded(KernelPatchState.Enabling) with { Name = PatchName.TryParseLoaded("lp_hold.v2")!.Value };
        var scene = new Scene { Patches = [odd] };
        Assert.Equal("lp_hold.v2", scene.Input.Seen.InTransition?.Name.Value);
        Says(scene, LifecycleEvent.Ready, Reason.TransitionInProgress, "await");
        Assert.Equal("lp_hold.v2 is in transition", scene.Verdict.Detail);
        var foreign = scene.Plan.Verdicts.Single(v => v.Name == odd.Name);
        Assert.Equal((LifecycleEvent.SeenForeign, Reason.LoadedByHand), (foreign.Event, foreign.Reason));
    }

    [Fact]
    public void ALivepatch_WithoutATransitionFile_IsUnsupportedAndNothingIsLoadedBesideIt()
    {
        var opaque = Scene.Loaded(KernelPatchState.Active, "lp_other") with { HasTransition = false };
        var scene = new Scene { Patches = [opaque] };
        Says(scene, LifecycleEvent.CannotPatch, Reason.UnsupportedLivepatch);
        Assert.Contains("lp_other", scene.Verdict.Detail, StringComparison.Ordinal);
        var other = scene.Plan.Verdicts.Single(v => v.Name == opaque.Name);
        Assert.Equal((LifecycleEvent.CannotPatch, Reason.UnsupportedLivepatch), (other.Event, other.Reason));
        Says(new Scene { Patches = [Scene.Loaded(KernelPatchState.Active) with { HasTransition = false }], Journal = Scene.Active }, LifecycleEvent.CannotPatch, Reason.UnsupportedLivepatch);
    }

    [Fact]
    public void APatchOfOurs_ReplacedByAStranger_NamesTheSuccessor()
    {
        var by = PatchName.Parse("lp_stranger");
        var successor = Scene.Loaded(KernelPatchState.Active, by.Value) with { Replace = true };
        var replaced = Scene.Record(RecordKind.Superseded, 9) with { By = by };
        Says(Ours(KernelPatchState.Unused, replaced) with { Patches = [Scene.Loaded(KernelPatchState.Unused), successor] }, LifecycleEvent.Replaced, Reason.ReplacedByForeign, "unload");
        var gone = Ours(KernelPatchState.Unused, replaced, Scene.Record(RecordKind.Gone, 10)) with { Patches = [successor] };
        Says(gone, LifecycleEvent.Replaced, Reason.ReplacedByForeign);
        Assert.Equal("by lp_stranger", gone.Verdict.Detail);
        var told = gone with { Patches = [successor with { Replace = null }] };
        Assert.Equal("by lp_stranger (it came when this one went; this kernel does not say what a patch replaces)", told.Verdict.Detail);
        // One of ours is where the files want it.
        Says(Ours(KernelPatchState.Unused, replaced with { ByDigest = ModelHost.Digest(by.Value, 1) }) with { Patches = [Scene.Loaded(KernelPatchState.Unused), successor] }, LifecycleEvent.Replaced, Reason.ReplacedByNewer, "unload");
    }

    [Fact]
    public void While_a_call_is_running_the_call_says_what_is_true()
    {
        var idle = new Scene { Journal = [Scene.Record(RecordKind.LoadIntent, 1)] };
        Says(idle with { Busy = new PlanStep.Load(Scene.Name, Scene.Digest) }, LifecycleEvent.LoadCalled, null);
        Says(idle with { Busy = new PlanStep.Load(Scene.Name, Scene.Digest), Patches = [Scene.Loaded(KernelPatchState.Active)] }, LifecycleEvent.Enabling, null);
        // The module is there, the patch is not registered yet.
        Says(idle with { Busy = new PlanStep.Load(Scene.Name, Scene.Digest), Patches = [Scene.Loaded(KernelPatchState.Pinned)] }, LifecycleEvent.LoadCalled, null);
        Says(Active with { Busy = new PlanStep.Reverse(Scene.Name, Reason.TransitionStalled, "late") }, LifecycleEvent.Cancelling, Reason.TransitionStalled);
        Says(Active with { Busy = new PlanStep.Reenable(Scene.Name, Reason.TransitionStalled, "late") }, LifecycleEvent.Cancelling, Reason.TransitionStalled);
        Says(Active with { Busy = new PlanStep.Force(Scene.Name) }, LifecycleEvent.PinnedByForce, Reason.ForcedUntilReboot);
        Says(Active with { Busy = new PlanStep.Disable(Scene.Name, Reason.RevertedByOperator) }, LifecycleEvent.Leaving, Reason.RevertedByOperator);
        Says(Active with { Busy = new PlanStep.Unload(Scene.Name, Reason.RevertedByOperator) }, LifecycleEvent.Leaving, Reason.RevertedByOperator);
        Says(Active with { Busy = new PlanStep.Await(Scene.Name) }, LifecycleEvent.Patched, null);
        // Somebody else's call says nothing of this one, and lets nothing begin.
        Says(new Scene { Busy = new PlanStep.Unload(PatchName.Parse("lp_b"), Reason.NewVersion) }, LifecycleEvent.Ready, null);
        var busy = Ours(KernelPatchState.Unused, Scene.Record(RecordKind.DisableIntent, 9)) with { Busy = new PlanStep.Load(PatchName.Parse("lp_b"), ModelHost.Digest("lp_b", 1)) };
        Says(busy, LifecycleEvent.Leaving, Reason.DisabledByHand);
    }

    [Theory]
    [InlineData(KernelPatchState.Disabling)]
    [InlineData(KernelPatchState.Disabled)]
    [InlineData(KernelPatchState.Unused)]
    public void Assess_FileIsBackWhileOurDisableRuns_NotCalledByHand(KernelPatchState state)
    {
        var leaving = Ours(state, Scene.Record(RecordKind.DisableIntent, 999, reason: Reason.RemovedFromDirectory));
        Assert.Equal(Reason.RemovedFromDirectory, leaving.Verdict.Reason);
        Assert.Equal(Reason.RemovedFromDirectory, Bookkeeping.Learn(new ObservedState(leaving.Kernel, []), leaving.Input.Ledger, busy: null, Scene.At(1000)).Single().Reason);
    }

    [Fact]
    public void Assess_ModulesDisabledAndCodeIsOut_RevertedAndNothingLeftToDo()
    {
        Scene Locked(Scene scene) => scene with { Kernel = scene.Kernel with { ModulesDisabled = true } };
        var refused = Scene.Record(RecordKind.RevertFailed, 10, reason: Reason.RevertRefused);
        Says(Locked(Ours(KernelPatchState.Active, Scene.Record(RecordKind.OperatorReverted, 8))), LifecycleEvent.Patched, Reason.RevertedByOperator, "disable");
        var reverted = Locked(Ours(KernelPatchState.Unused, Scene.Record(RecordKind.OperatorReverted, 8), Scene.Record(RecordKind.DisableIntent, 9, reason: Reason.RevertedByOperator), refused));
        Says(reverted, LifecycleEvent.Out, Reason.ModulesDisabled);
        Assert.Contains("reverted-by-operator; the module stays until reboot", reverted.Verdict.Detail, StringComparison.Ordinal);
        Says(Locked(Ours(KernelPatchState.Unused, Scene.Record(RecordKind.DisableIntent, 9, reason: Reason.RemovedFromDirectory))) with { Wanted = [] }, LifecycleEvent.Out, Reason.ModulesDisabled);
        // Wanted again: it cannot be loaded, and that is no revert.
        Says(Locked(Ours(KernelPatchState.Unused, Scene.Record(RecordKind.DisableIntent, 9, reason: Reason.RemovedFromDirectory))), LifecycleEvent.Blocked, Reason.ModulesDisabled);
        Says(Locked(Ours(KernelPatchState.Unused, Scene.Record(RecordKind.Quarantined, 8, reason: Reason.KernelOops), Scene.Record(RecordKind.DisableIntent, 9, reason: Reason.KernelOops))), LifecycleEvent.Quarantined, Reason.KernelOops);
        var replaced = Scene.Record(RecordKind.Superseded, 9) with { By = PatchName.Parse("lp_b") };
        Says(Locked(Ours(KernelPatchState.Unused, replaced with { ByDigest = ModelHost.Digest("lp_b", 1) })), LifecycleEvent.Replaced, Reason.ReplacedByNewer);
        Says(Locked(Ours(KernelPatchState.Unused, replaced)), LifecycleEvent.Replaced, Reason.ReplacedByForeign);
        // Somebody asked for it to be out, and it is.
        Says(Locked(Ours(KernelPatchState.Unused, replaced, Scene.Record(RecordKind.OperatorReverted, 10))), LifecycleEvent.Out, Reason.ModulesDisabled);
    }

    [Fact]
    public void A_foreign_patch_is_left_alone_or_handed_over_as_it_stands()
    {
        var foreign = new Scene { Patches = [Scene.Loaded(KernelPatchState.Active)] };
        Says(foreign, LifecycleEvent.SeenForeign, Reason.LoadedByHand, "adopt");
        Says(foreign with { Patches = [Scene.Loaded(KernelPatchState.Enabling)] }, LifecycleEvent.SeenForeign, Reason.LoadedByHand, "adopt");
        Says(foreign with { Bar = Reason.ObserveMode }, LifecycleEvent.Blocked, Reason.NameInUse);
        Says(foreign with { Patches = [Scene.Loaded(KernelPatchState.Active, build: 2)] }, LifecycleEvent.Blocked, Reason.NameInUse);
        Says(foreign with { Patches = [Scene.Loaded(KernelPatchState.Disabling)] }, LifecycleEvent.Blocked, Reason.NameInUse, "await");
        Says(foreign with { Wanted = [] }, LifecycleEvent.SeenForeign, Reason.LoadedByHand);
        Assert.Empty((foreign with { Wanted = [], Patches = [Scene.Loaded(KernelPatchState.Unused)] }).Plan.Verdicts);
        Assert.Empty((foreign with { Wanted = [], Patches = [Scene.Loaded(KernelPatchState.Active) with { Livepatch = false }] }).Plan.Verdicts);
        // A name that is asked for by nobody but a refused file, and a leftover of somebody else under it.
        Assert.Empty((foreign with { Wanted = [], Patches = [Scene.Loaded(KernelPatchState.Unused)], Refused = [new RefusedFile("/p/lp_a.ko", Scene.Name, Reason.TruncatedFile, "short")] }).Plan.Verdicts);
        var file = ModelHost.File("lp_a", 1);
        var unmarked = file with { Module = file.Module with { Info = file.Module.Info with { BuildId = null } } };
        Says(foreign with { Wanted = [unmarked] }, LifecycleEvent.Blocked, Reason.NameInUse);
    }

    [Fact]
    public void A_loaded_patch_stays_when_its_file_goes_bad_or_out_of_sight()
    {
        Says(Active, LifecycleEvent.Patched, null);
        Says(Active with { Wanted = [], Unreadable = [new UnreadableDirectory("/p/", Errno.EIO)] }, LifecycleEvent.Patched, Reason.DirectoryUnreadable);
        Says(Active with { Wanted = [], Unreadable = [new UnreadableDirectory("/q", Errno.EIO)] }, LifecycleEvent.Patched, Reason.RemovedFromDirectory, "disable", "unload");
        var refused = Active with { Wanted = [], Refused = [new RefusedFile("/p/lp_a.ko", null, Reason.TruncatedFile, "short")] };
        Says(refused, LifecycleEvent.Patched, Reason.TruncatedFile);
        Assert.Equal("short", refused.Verdict.Detail);
        Says(Active with { Wanted = [ModelHost.File("lp_a", 1), ModelHost.File("lp_a", 2)] }, LifecycleEvent.Patched, Reason.DuplicateName);
        Says(Active with { Wanted = [ModelHost.File("lp_a", 2), ModelHost.File("lp_a", 3)] }, LifecycleEvent.Patched, Reason.DuplicateName);
        Says(Active with { Wanted = [ModelHost.File("lp_a", 2)] }, LifecycleEvent.Patched, Reason.NewVersion, "disable", "unload", "load");
    }

    [Fact]
    public void A_revert_waits_for_the_bar_and_for_its_pause()
    {
        var gone = Active with { Wanted = [] };
        Says(gone with { Bar = Reason.ObserveMode }, LifecycleEvent.Patched, Reason.ObserveMode);
        var failed = gone with { Journal = [.. Scene.Active, Scene.Record(RecordKind.RevertFailed, 999, reason: Reason.RevertRefused, detail: "EBUSY")] };
        Says(failed, LifecycleEvent.Patched, Reason.RevertRefused);
        Assert.Equal((Scene.At(999 + 300), "EBUSY"), (failed.Verdict.RetryAt, failed.Verdict.Detail));
        Says(failed with { Second = 1300 }, LifecycleEvent.Patched, Reason.RemovedFromDirectory, "disable", "unload");
        var tired = gone with { Journal = [.. Scene.Active, .. Enumerable.Range(0, 5).Select(i => Scene.Record(RecordKind.Reenabled, 10 + i, reason: Reason.TransitionStalled))] };
        Says(tired with { Second = 1e6 }, LifecycleEvent.Patched, Reason.AttemptsExhausted);
    }

    [Fact]
    public void What_is_out_of_use_is_collected()
    {
        var left = Ours(KernelPatchState.Unused, Scene.Record(RecordKind.OperatorReverted, 8), Scene.Record(RecordKind.DisableIntent, 9));
        Says(left, LifecycleEvent.Leaving, Reason.RevertedByOperator, "unload");
        Says(left with { Bar = Reason.ObserveMode }, LifecycleEvent.Leaving, Reason.ObserveMode);
        Says(left with { Journal = [.. left.Journal, Scene.Record(RecordKind.RevertFailed, 999, reason: Reason.RevertRefused)] }, LifecycleEvent.Leaving, Reason.RevertRefused);
        Says(Ours(KernelPatchState.Disabled, Scene.Record(RecordKind.OperatorReverted, 8)), LifecycleEvent.Leaving, Reason.RevertedByOperator);
        Says(Ours(KernelPatchState.Unused, Scene.Record(RecordKind.DisabledByHand, 8)), LifecycleEvent.Leaving, Reason.DisabledByHand, "unload");
        Says(Ours(KernelPatchState.Unused), LifecycleEvent.Leaving, Reason.DisabledByHand, "unload");
        var replaced = Scene.Record(RecordKind.Superseded, 8) with { By = PatchName.Parse("lp_d"), ByDigest = ModelHost.Digest("lp_d", 1) };
        Says(Ours(KernelPatchState.Unused, replaced), LifecycleEvent.Replaced, Reason.ReplacedByNewer, "unload");
        Says(Ours(KernelPatchState.Unused, Scene.Record(RecordKind.Quarantined, 8, reason: Reason.UnitsFailed)), LifecycleEvent.Leaving, Reason.UnitsFailed, "unload");
        var stalled = new Scene { Patches = [Scene.Loaded(KernelPatchState.Unused)], Journal = [Scene.Record(RecordKind.LoadIntent, 1), Scene.Record(RecordKind.DisableIntent, 130, reason: Reason.TransitionStalled, detail: "late")] };
        Says(stalled, LifecycleEvent.Leaving, Reason.TransitionStalled, "unload");
    }

    [Fact]
    public void A_module_without_a_build_id_is_taken_at_its_name()
    {
        Says(Active with { Patches = [Scene.Loaded(KernelPatchState.Active) with { BuildId = null }] }, LifecycleEvent.Patched, null);
        Says(Active with { Journal = [.. Scene.Active.Select(r => r with { BuildId = null })] }, LifecycleEvent.Patched, null);
        Says(Active with { Patches = [Scene.Loaded(KernelPatchState.Active, build: 2)], Wanted = [] }, LifecycleEvent.SeenForeign, Reason.LoadedByHand);
        Says(Active with { Patches = [Scene.Loaded(KernelPatchState.NotLoaded)] }, LifecycleEvent.Ready, null, "load");
        // A refused file of another name and place is another matter.
        Says(Active with { Refused = [new RefusedFile("/p/other.ko", null, Reason.TruncatedFile, "short")] }, LifecycleEvent.Patched, null);
        Says(new Scene { Refused = [new RefusedFile("/p/other.ko", null, Reason.TruncatedFile, "short")] }, LifecycleEvent.Ready, null, "load");
    }

    [Fact]
    public void A_module_that_somebody_holds_is_waited_for_and_then_reported()
    {
        var pinned = Ours(KernelPatchState.Pinned, Scene.Record(RecordKind.OperatorReverted, 990), Scene.Record(RecordKind.DisableIntent, 990));
        Says(pinned, LifecycleEvent.Leaving, Reason.RevertedByOperator);
        Says(pinned with { Second = 1010 }, LifecycleEvent.Blocked, Reason.ModuleInUse);
        Says(Ours(KernelPatchState.Pinned), LifecycleEvent.Blocked, Reason.ModuleInUse);
    }

    [Fact]
    public void A_load_that_nobody_saw_the_end_of_is_one_for_a_while_and_whoever_oopsed_in_it_leaves_by_reboot()
    {
        var half = new Scene { Patches = [Scene.Loaded(KernelPatchState.Pinned)], Journal = [Scene.Record(RecordKind.LoadIntent, 990)] };
        Says(half, LifecycleEvent.LoadCalled, null);
        Says(half with { Second = 1010 }, LifecycleEvent.Blocked, Reason.ModuleInUse);
        var guilty = half with { Journal = [.. half.Journal, Scene.Record(RecordKind.Quarantined, 991, reason: Reason.KernelOops)] };
        Says(guilty, LifecycleEvent.Leaving, Reason.KernelOops);
        Says(guilty with { Second = 1010 }, LifecycleEvent.Quarantined, Reason.RebootToLeave);
    }

    [Fact]
    public void What_is_not_loaded_says_why()
    {
        var none = new Scene { Wanted = [] };
        Assert.Empty(none.Plan.Verdicts);
        Says(none with { Refused = [new RefusedFile("/p/lp_a.ko", Scene.Name, Reason.TruncatedFile, "short")] }, LifecycleEvent.Refused, Reason.TruncatedFile);
        Says(none with { Wanted = [ModelHost.File("lp_a", 1), ModelHost.File("lp_a", 2)] }, LifecycleEvent.Refused, Reason.DuplicateName);
        Says(new Scene { Journal = [Scene.Record(RecordKind.OperatorReverted, 5)] }, LifecycleEvent.Out, Reason.RevertedByOperator);
        Says(new Scene { Journal = [Scene.Record(RecordKind.DisabledByHand, 5)] }, LifecycleEvent.Blocked, Reason.DisabledByHand);
        Says(new Scene { Journal = [Scene.Record(RecordKind.DisabledByHand, 5)], Wanted = [ModelHost.File("lp_a", 2)] }, LifecycleEvent.Ready, null, "load");
    }

    [Fact]
    public void A_running_transition_is_awaited_and_lets_no_other_begin()
    {
        var moving = new Scene { Patches = [Scene.Loaded(KernelPatchState.Enabling)], Journal = Scene.Active[..2], Second = 5, Wanted = [ModelHost.File("lp_a", 1), ModelHost.File("lp_b", 1)] };
        Says(moving, LifecycleEvent.Enabling, null, "await");
        Assert.Equal(Reason.TransitionInProgress, moving.Plan.Verdicts[1].Reason);
        // The intent alone also counts as its beginning; and what must not be loaded is reversed, unless nothing may be changed.
        Says(moving with { Journal = Scene.Active[..1] }, LifecycleEvent.Enabling, null, "await");
        Says(moving with { Wanted = [] }, LifecycleEvent.Cancelling, Reason.RemovedFromDirectory, "reverse");
        Says(moving with { Wanted = [], Bar = Reason.ObserveMode }, LifecycleEvent.Enabling, Reason.ObserveMode, "await");
        var paused = moving with { Wanted = [], Journal = [.. moving.Journal, Scene.Record(RecordKind.RevertFailed, 4, reason: Reason.RevertRefused)] };
        Says(paused, LifecycleEvent.Enabling, null, "await");
        Assert.IsType<PlanStep.Await>(Assert.Single((moving with { Wanted = [], Journal = [] }).Plan.Steps));
    }

    [Fact]
    public void A_disable_is_awaited_or_taken_back_or_forced()
    {
        var leaving = Ours(KernelPatchState.Disabling, Scene.Record(RecordKind.OperatorReverted, 995), Scene.Record(RecordKind.DisableIntent, 995));
        Says(leaving, LifecycleEvent.Leaving, Reason.RevertedByOperator, "await");
        Says(leaving with { Second = 1015 }, LifecycleEvent.Leaving, Reason.TransitionOverdue, "await");
        Says(leaving with { Second = 1200 }, LifecycleEvent.Cancelling, Reason.TransitionStalled, "reenable");
        Says(leaving with { Second = 1200, Bar = Reason.ObserveMode }, LifecycleEvent.Leaving, Reason.TransitionOverdue, "await");
        // By somebody else's hand: its beginning is not known.
        Says(Ours(KernelPatchState.Disabling) with { Second = 1e6 }, LifecycleEvent.Leaving, null, "await");
        var forced = leaving.Input with { ForceAsked = new ForceRequest(Scene.Name, "seen"), BlockersToken = "seen" };
        Assert.IsType<PlanStep.Force>(Assert.Single(Planner.Decide(forced).Steps));
        Assert.IsType<PlanStep.Await>(Assert.Single(Planner.Decide(forced with { ForceAsked = new ForceRequest(PatchName.Parse("lp_b"), "seen") }).Steps));
        var reversing = new Scene { Patches = [Scene.Loaded(KernelPatchState.Disabling)], Journal = [.. Scene.Active[..2], Scene.Record(RecordKind.DisableIntent, 995, reason: Reason.TransitionStalled)] };
        Says(reversing, LifecycleEvent.Cancelling, Reason.TransitionStalled, "await");
        Says(reversing with { Second = 1050 }, LifecycleEvent.Cancelling, Reason.TransitionOverdue, "await");
        Says(reversing with { Wanted = [], Journal = [.. Scene.Active[..2], Scene.Record(RecordKind.DisableIntent, 995)] }, LifecycleEvent.Cancelling, Reason.RemovedFromDirectory, "await");
    }

    [Fact]
    public void A_disable_that_is_taken_back_is_late_after_its_time()
    {
        var back = new Scene { Patches = [Scene.Loaded(KernelPatchState.Enabling)], Journal = [.. Scene.Active, Scene.Record(RecordKind.Reenabled, 995, reason: Reason.TransitionStalled)] };
        Says(back, LifecycleEvent.Cancelling, Reason.TransitionStalled, "await");
        Says(back with { Second = 1011 }, LifecycleEvent.Cancelling, Reason.TransitionOverdue, "await");
        // Not ours: the kernel opens the transition of a disable before it clears `enabled`.
        Says(back with { Journal = Scene.Active }, LifecycleEvent.Leaving, Reason.DisabledByHand, "await");
    }

    [Fact]
    public void A_load_that_makes_another_superfluous_goes_before_its_removal()
    {
        var newer = ModelHost.File("lp_d", 1) with { Manifest = Scene.Plain with { Replaces = [Scene.Name, PatchName.Parse("lp_d")] } };
        var scene = Active with { Wanted = [newer] };
        Assert.Equal(["load", "disable", "unload"], scene.Plan.Steps.Select(s => s.Action));
        Assert.Equal(["disable", "unload", "load"], (scene with { Wanted = [newer with { Manifest = Scene.Plain }] }).Plan.Steps.Select(s => s.Action));
        Assert.Equal(["disable", "unload", "load"], (scene with { Wanted = [newer with { Manifest = Scene.Plain with { Replaces = [PatchName.Parse("lp_z")] } }] }).Plan.Steps.Select(s => s.Action));
    }

    [Fact]
    public void A_successor_that_the_kernel_refuses_for_good_protects_nobody()
    {
        var mark = Scene.Record(RecordKind.Superseded, 8) with { By = PatchName.Parse("lp_d"), ByDigest = ModelHost.Digest("lp_d", 1) };
        var both = new Scene { Wanted = [ModelHost.File("lp_a", 1), ModelHost.File("lp_d", 1)], Journal = [mark] };
        Says(both, LifecycleEvent.Replaced, Reason.ReplacedByNewer, "load");
        Says(both with { Patches = [Scene.Loaded(KernelPatchState.Active, "lp_d", 2)] }, LifecycleEvent.Replaced, Reason.ReplacedByNewer);
        foreach (var (kind, reason) in new[] { (RecordKind.LoadFailed, Reason.SymbolNotFound), (RecordKind.OperatorReverted, Reason.RevertedByOperator), (RecordKind.Quarantined, Reason.KernelOops), (RecordKind.Unconfirmed, Reason.NotConfirmed) })
            Says(both with { Journal = [mark, Scene.Record(kind, 9, "lp_d", reason)] }, LifecycleEvent.Ready, null, "load");
        Says(both with { Journal = [mark, Scene.Record(RecordKind.LoadFailed, 999, "lp_d", Reason.OutOfMemory)] }, LifecycleEvent.Replaced, Reason.ReplacedByNewer);
        Says(both with { Journal = [mark with { ByDigest = null }] }, LifecycleEvent.Ready, null, "load", "load");
        Says(both with { Wanted = [ModelHost.File("lp_a", 2), ModelHost.File("lp_d", 1)] }, LifecycleEvent.Ready, null, "load", "load");
    }

    [Fact]
    public void What_is_held_against_a_patch_is_not_hidden_by_its_successor()
    {
        var mark = Scene.Record(RecordKind.Superseded, 8) with { By = PatchName.Parse("lp_d") };
        var scene = new Scene { Patches = [Scene.Loaded(KernelPatchState.Active, "lp_d")], Journal = [mark, Scene.Record(RecordKind.Quarantined, 9, reason: Reason.KernelOops)] };
        Says(scene, LifecycleEvent.Quarantined, Reason.KernelOops);
        Says(scene with { Journal = [mark, Scene.Record(RecordKind.Unconfirmed, 9)] }, LifecycleEvent.Out, Reason.NotConfirmed);
    }

    public static TheoryData<string> Steps { get; } = ["load", "adopt", "await", "reverse", "reenable", "force", "disable", "unload"];

    [Theory]
    [MemberData(nameof(Steps))]
    public void Every_step_has_its_word_and_says_what_it_is_about(string word)
    {
        var step = word switch
        {
            "load" => new PlanStep.Load(Scene.Name, Scene.Digest),
            "adopt" => new PlanStep.Adopt(Scene.Name, Scene.Digest),
            "await" => new PlanStep.Await(Scene.Name),
            "reverse" => new PlanStep.Reverse(Scene.Name, Reason.NewVersion, "so"),
            "reenable" => new PlanStep.Reenable(Scene.Name, Reason.NewVersion, "so"),
            "force" => new PlanStep.Force(Scene.Name),
            "disable" => new PlanStep.Disable(Scene.Name, Reason.NewVersion),
            _ => (PlanStep)new PlanStep.Unload(Scene.Name, Reason.NewVersion),
        };
        Assert.Equal(word, step.Action);
        Assert.Equal(word is "load" or "adopt" ? Scene.Digest : (Sha256?)null, step.DigestOrNull);
        Assert.Equal(word is "reverse" or "reenable" ? "so" : null, step.DetailOrNull);
        Assert.Equal(word is "reverse" or "reenable" or "disable" or "unload" ? Reason.NewVersion : (Reason?)null, step.WhyOrNull);
    }

    private sealed record Unheard(PatchName Name) : PlanStep(Name);

    [Fact]
    public void A_step_that_nobody_knows_is_a_bug() => Assert.Throws<InvalidOperationException>(() => new Unheard(Scene.Name).Action);
}
