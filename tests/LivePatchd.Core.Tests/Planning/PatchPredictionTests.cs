// What is foretold of each patch: by the step of the plan where there is one, else by what is true of it.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

public sealed class PatchPredictionTests
{
    private static PatchPrediction Of(Verdict verdict, PlanStep[] steps, Scene? scene = null) =>
        Assert.Single(PatchPrediction.All((scene ?? new Scene()).Input, new Plan([.. steps], [], [verdict], null)));

    [Theory]
    [InlineData(LifecycleEvent.CannotPatch, PredictedOutcome.Refused)]
    [InlineData(LifecycleEvent.Refused, PredictedOutcome.Refused)]
    [InlineData(LifecycleEvent.Quarantined, PredictedOutcome.Refused)]
    [InlineData(LifecycleEvent.Blocked, PredictedOutcome.Held)]
    [InlineData(LifecycleEvent.Ready, PredictedOutcome.Loads)]
    [InlineData(LifecycleEvent.LoadCalled, PredictedOutcome.UnderWay)]
    [InlineData(LifecycleEvent.Enabling, PredictedOutcome.UnderWay)]
    [InlineData(LifecycleEvent.Overdue, PredictedOutcome.UnderWay)]
    [InlineData(LifecycleEvent.Cancelling, PredictedOutcome.UnderWay)]
    [InlineData(LifecycleEvent.OnProbation, PredictedOutcome.Loaded)]
    [InlineData(LifecycleEvent.Patched, PredictedOutcome.Loaded)]
    [InlineData(LifecycleEvent.PinnedByForce, PredictedOutcome.Loaded)]
    [InlineData(LifecycleEvent.Leaving, PredictedOutcome.Leaves)]
    [InlineData(LifecycleEvent.Out, PredictedOutcome.LeftAlone)]
    [InlineData(LifecycleEvent.Replaced, PredictedOutcome.LeftAlone)]
    [InlineData(LifecycleEvent.SeenForeign, PredictedOutcome.LeftAlone)]
    public void Without_a_step_it_is_what_is_true_of_it(LifecycleEvent e, PredictedOutcome expected)
    {
        var prediction = Of(new Verdict(Scene.Name, e), [new PlanStep.Await(Scene.Name), new PlanStep.Load(PatchName.Parse("lp_b"), Scene.Digest)]);
        Assert.Equal((expected, (Errno?)null), (prediction.Outcome, prediction.KernelAnswer));
        Assert.Equal("/p/lp_a.ko", prediction.Path);
    }

    [Fact]
    public void All_CumulativePatchIsReverted_TheOneItReplacedIsForetold()
    {
        var b = PatchName.Parse("lp_b");
        var scene = new Scene
        {
            Patches = [Scene.Loaded(KernelPatchState.Active)],
            Wanted = [ModelHost.File("lp_a", 1), ModelHost.File("lp_b", 1)],
            Journal = [.. Scene.Active, Scene.Record(RecordKind.Superseded, 5, "lp_b") with { By = Scene.Name, ByDigest = Scene.Digest }],
        };
        PatchPrediction Of(Scene now) => PatchPrediction.All(now.Input, now.Plan).Single(p => p.Name == b);
        Assert.Equal(PredictedOutcome.LeftAlone, Of(scene).Outcome);
        var reverted = scene with { Journal = [.. scene.Journal, Scene.Record(RecordKind.OperatorReverted, 6)] };
        Assert.Equal((PredictedOutcome.Loads, "when lp_a is out"), (Of(reverted).Outcome, Of(reverted).Detail));
        // Of both it was asked that they stay out.
        var both = reverted with { Journal = [.. reverted.Journal, Scene.Record(RecordKind.OperatorReverted, 7, "lp_b")] };
        Assert.Equal(PredictedOutcome.LeftAlone, Of(both).Outcome);
        Assert.Equal([b], scene.Input.Ledger.ReplacedBy(Scene.Name));
        Assert.Empty(scene.Input.Ledger.ReplacedBy(b));
    }

    [Fact]
    public void A_step_says_more_than_the_event()
    {
        var blocked = new Verdict(Scene.Name, LifecycleEvent.Blocked, Reason.ModulesDisabled, Path: "/q/lp_a.ko");
        Assert.Equal(PredictedOutcome.Loads, Of(blocked, [new PlanStep.Load(Scene.Name, Scene.Digest)]).Outcome);
        Assert.Equal(PredictedOutcome.Loads, Of(blocked, [new PlanStep.Unload(Scene.Name, Reason.NewVersion), new PlanStep.Adopt(Scene.Name, Scene.Digest)]).Outcome);
        Assert.Equal(PredictedOutcome.Leaves, Of(blocked, [new PlanStep.Disable(Scene.Name, Reason.NewVersion)]).Outcome);
        Assert.Equal(PredictedOutcome.Leaves, Of(blocked, [new PlanStep.Unload(Scene.Name, Reason.NewVersion)]).Outcome);
        // The kernel's answer is that to a load which is held back or refused, and to no other.
        Assert.Null(Of(blocked, [new PlanStep.Load(Scene.Name, Scene.Digest)]).KernelAnswer);
        var held = Of(blocked, []);
        Assert.Equal((PredictedOutcome.Held, (Errno?)Errno.EPERM, "/q/lp_a.ko"), (held.Outcome, held.KernelAnswer, held.Path));
        Assert.Equal(Errno.EKEYREJECTED, Of(new Verdict(Scene.Name, LifecycleEvent.Refused, Reason.SignatureRequired), []).KernelAnswer);
        Assert.Equal(PredictedOutcome.Held, Of(new Verdict(Scene.Name, LifecycleEvent.Ready, Reason.TransitionInProgress), []).Outcome);
        Assert.Null(Of(new Verdict(Scene.Name, LifecycleEvent.Blocked), [], new Scene { Wanted = [] }).Path);
    }

    [Fact]
    public void Notes_are_of_what_comes()
    {
        var file = ModelHost.File("lp_a", 1);
        var scene = new Scene { Wanted = [file with { Module = file.Module with { Footprint = Core.Elf.PatchFootprint.Unknown } }] };
        PreflightNoteKind[] Notes(LifecycleEvent e, Scene of) => [.. Of(new Verdict(Scene.Name, e), [], of).Notes.Select(n => n.Kind)];
        foreach (var comes in (LifecycleEvent[])[LifecycleEvent.Ready, LifecycleEvent.Blocked, LifecycleEvent.Refused])
            Assert.Equal([PreflightNoteKind.Unknown], Notes(comes, scene));
        Assert.Empty(Notes(LifecycleEvent.Patched, scene));
        Assert.Empty(Notes(LifecycleEvent.Blocked, scene with { Wanted = [] }));
    }

    [Fact]
    public void A_refused_file_without_a_name_is_told_by_its_path()
    {
        var scene = new Scene
        {
            Wanted = [],
            Refused = [new RefusedFile("/p/noise.ko", null, Reason.NotAnElfFile, "text"), new RefusedFile("/p/lp_a.ko", Scene.Name, Reason.TruncatedFile, "short")],
        };
        var all = PatchPrediction.All(scene.Input, scene.Plan);
        var nameless = Assert.Single(all, p => p.Name is null);
        Assert.Equal(("/p/noise.ko", PredictedOutcome.Refused, (Reason?)Reason.NotAnElfFile, (Errno?)Errno.ENOEXEC), (nameless.Path, nameless.Outcome, nameless.Reason, nameless.KernelAnswer));
        Assert.Equal((Reason?)Reason.TruncatedFile, Assert.Single(all, p => p.Name == Scene.Name).Reason);
    }

    [Fact]
    public void Every_outcome_has_a_word_of_its_own()
    {
        var words = Enum.GetValues<PredictedOutcome>().Select(o => o.Word()).ToList();
        Assert.Equal(["loads", "loaded", "held", "refused", "leaves", "under-way", "left-alone", "unknown"], words);
        Assert.Throws<ArgumentOutOfRangeException>(() => ((PredictedOutcome)99).Word());
    }

    [Fact]
    public void Only_a_load_that_replaces_what_is_there_goes_before_a_removal()
    {
        static string[] Order(params PatchName[] replaces)
        {
            JournalRecord[] journal = [.. ((RecordKind[])[RecordKind.LoadIntent, RecordKind.Loaded, RecordKind.Activated]).Select((k, i) => Scene.Record(k, i + 1, "lp_b"))];
            var scene = new Scene { Patches = [Scene.Loaded(KernelPatchState.Active, "lp_b")], Journal = [.. journal], Wanted = [Scene.File(Scene.Plain with { Replaces = [.. replaces] })] };
            return [.. scene.Plan.Steps.Select(s => $"{s.Action} {s.Name}")];
        }

        Assert.Equal("load lp_a", Order(Scene.Name, PatchName.Parse("lp_b"))[0]);
        Assert.Equal("disable lp_b", Order(Scene.Name, PatchName.Parse("lp_c"))[0]);
        Assert.Equal("disable lp_b", Order()[0]);
    }
}
