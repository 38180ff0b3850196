// Carries out the plan's first step: intent into the journal, the call on the worker, the outcome back into the journal.
using System.Collections.Immutable;
using System.Diagnostics;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Store;
using LivePatchd.Log;
using LivePatchd.Metrics;

namespace LivePatchd.Loop;

internal sealed class Executor(
    IKernel kernel, PatchStore store, JournalBook journal, Worker worker, Worker files, LoadPlacer placer, KernelLogWindow window, ProbationDesk probation, ImpactFollower impact, PreflightDesk preflight, DaemonMeter meter, DaemonLog log)
{
    private (WorkResult.Stepped Done, Sha256? Digest)? news;

    /// <summary>Copies of the wanted patches, from the last scan.</summary>
    public ImmutableDictionary<Sha256, StoredPatch> Stored { get; set; } = ImmutableDictionary<Sha256, StoredPatch>.Empty;

    /// <summary>Starts the first step that can be started. True when something was done or begun: look again.</summary>
    public bool Run(Plan plan, PlannerInput input)
    {
        // What a scan is about to tell may change the plan; only what cannot wait for a disk goes before it.
        if (plan.Steps.IsEmpty || worker.IsBusy || (files.IsBusy && !Planner.IsUrgent(plan.Steps[0], input)))
            return false;
        var transition = input.Seen.InTransition is not null;
        var step = plan.Steps[0];
        switch (step)
        {
            case PlanStep.Adopt adopt:
                return Adopt(adopt, input);
            case PlanStep.Load load when Stored.TryGetValue(load.Digest, out var copy):
                if (!Intend(RecordKind.LoadIntent, step, input))
                    return false;
                Start(step, transition, () => LoadCopy(copy, input.Settings.Placement), () => preflight.Check(copy.Module, input));
                return true;
            case PlanStep.Disable or PlanStep.Reverse:
                if (!Intend(RecordKind.DisableIntent, step, input))
                    return false;
                Start(step, transition, () => kernel.SetEnabled(step.Name, false));
                return true;
            case PlanStep.Reenable:
                if (!Intend(RecordKind.Reenabled, step, input))
                    return false;
                Start(step, transition, () => kernel.SetEnabled(step.Name, true));
                return true;
            case PlanStep.Force:
                if (!Intend(RecordKind.Forced, step, input))
                    return false;
                Start(step, transition, () => kernel.Force(step.Name));
                return true;
            case PlanStep.Unload:
                Start(step, transition, () => kernel.Unload(step.Name));
                return true;
            default:
                return false;
        }
    }

    /// <summary>The last step in words, after the look that shows what came of it: the log is not in the look's way.</summary>
    public void Tell()
    {
        if (news is not { } told)
            return;
        news = null;
        log.Note(EventKind.StepTaken, $"{told.Done.Step.Name}: {told.Done.Step.Action} took {told.Done.Took.TotalMilliseconds:F0} ms", told.Done.Step.Name, told.Digest);
        if (placer.TakeNews() is { } placed)
            log.Note(EventKind.Placed, placed, told.Done.Step.Name, told.Digest);
    }

    /// <summary>Records what came of a step.</summary>
    public void Conclude(WorkResult.Stepped done, Instant now)
    {
        var owned = journal.Ledger.Owned.GetValueOrDefault(done.Step.Name);
        var record = new JournalRecord(
            RecordKind.Loaded, done.Step.Name, journal.Ledger.BootId, now, owned?.Digest, owned?.BuildId, owned?.Path)
        {
            Content = owned?.Content,
        };
        if (done.Facts is { } facts)
            preflight.TakeOne(facts);
        if (done.Foreseen is { Reason: { } foreseen } foresight)
        {
            // The kernel was not asked. The next plan holds the patch back by the same facts.
            journal.Record(record with { Kind = RecordKind.Abandoned, Reason = foreseen, Detail = foresight.Detail });
            log.Problem(EventKind.StepFailed, $"{done.Step.Name}: not loaded: {foresight.Detail}", foreseen, done.Step.Name, owned?.Digest);
            return;
        }
        if (done.Step is PlanStep.Load)
            meter.Loaded(done.Took);
        if (done.Result.IsOk)
        {
            if (done.Step is PlanStep.Load)
                journal.Record(record);
            Failpoint.At("conclude.ok");
            news = (done, owned?.Digest);
            return;
        }
        Failpoint.At("conclude.failed");
        var lines = window.Since(done.LogMark);
        var seen = kernel.Observe([done.Step.Name]);
        switch (done.Step)
        {
            case PlanStep.Load:
                // The copy could not be opened, or is not what was verified: the kernel was never asked.
                var failure = done.Result.Call is "open" or "verify"
                    ? new Failure(Reason.StoreUnavailable, done.Result.ToString())
                    : FailureClassifier.Load(done.Step.Name, done.Result.Errno, lines, seen.Kernel, done.TransitionRunning, done.Facts);
                journal.Record(record with
                {
                    Kind = RecordKind.LoadFailed,
                    Reason = failure.Reason,
                    Errno = done.Result.Errno,
                    Detail = failure.Detail,
                });
                log.Problem(EventKind.StepFailed, $"{done.Step.Name}: load refused: {failure.Detail}", failure.Reason, done.Step.Name, owned?.Digest, done.Result.Errno);
                break;
            case PlanStep.Force:
                log.Problem(EventKind.StepFailed, $"{done.Step.Name}: force failed: {done.Result}", Reason.ForcedUntilReboot, done.Step.Name, owned?.Digest, done.Result.Errno);
                break; // It may have had an effect all the same: the boot stays marked.
            case PlanStep.Unload when done.Result.Errno is Errno.EAGAIN or Errno.ENOENT || (done.Result.Errno is Errno.EPERM && seen.Kernel.ModulesDisabled):
            case PlanStep.Reenable:
            case PlanStep.Disable or PlanStep.Reverse when done.Result.Errno is Errno.EBUSY or Errno.ENOENT or Errno.EINVAL && Moved(seen, done.Step):
                break; // Somebody was quicker, or still holds it: the next look sees how it is.
            default:
                journal.Record(record with
                {
                    Kind = RecordKind.RevertFailed,
                    Reason = Reason.RevertRefused,
                    Errno = done.Result.Errno,
                    Detail = done.Result.ToString(),
                });
                log.Problem(EventKind.StepFailed, $"{done.Step.Name}: {done.Step.Action} failed: {done.Result}", Reason.RevertRefused, done.Step.Name, owned?.Digest, done.Result.Errno);
                break;
        }
    }

    /// <summary>
    /// The kernel ended the thread that made the call. The oops is in its log and its counter, where the probation finds it; what was
    /// begun is not begun again, because the kernel may hold its locks for ever.
    /// </summary>
    public void Lost(PlanStep? step, Instant now)
    {
        var name = step?.Name;
        log.Problem(EventKind.StepFailed, $"{name?.Value ?? "a scan"}: the kernel ended the thread inside {step?.Action ?? "it"}", Reason.KernelOops, name);
        if (step is not null and not PlanStep.Load)
            journal.Record(new JournalRecord(RecordKind.RevertFailed, step.Name, journal.Ledger.BootId, now, Reason: Reason.RevertRefused, Detail: $"the kernel ended the thread inside {step.Action}"));
    }

    /// <summary>A bug: the step threw. A load that has not come about counts as failed, so that there is a pause before the next.</summary>
    public void Broke(PlanStep? step, Instant now)
    {
        if (step is not PlanStep.Load load || kernel.Observe([load.Name]).Find(load.Name) is { Directory: true })
            return;
        journal.Record(new JournalRecord(
            RecordKind.LoadFailed, load.Name, journal.Ledger.BootId, now, load.Digest, Reason: Reason.KernelRefused, Detail: "livepatchd itself failed, see its log")
        {
            Content = Stored.GetValueOrDefault(load.Digest)?.Module.Content,
        });
    }

    /// <summary>The patch is no longer in the state in which the write was due, or another transition is in the way.</summary>
    private static bool Moved(ObservedState seen, PlanStep step) =>
        seen.InTransition is not null || seen.Find(step.Name)?.State is not KernelPatchState.Active;

    private bool Adopt(PlanStep.Adopt step, PlannerInput input)
    {
        var wanted = input.Want.Wanted.First(w => w.Name == step.Name && w.Module.Digest == step.Digest);
        log.Note(EventKind.Adopted, $"{step.Name}: loaded by somebody else, adopted as it stands", step.Name, step.Digest);
        return journal.Record(probation.Charge(
            new JournalRecord(RecordKind.Adopted, step.Name, input.Seen.Kernel.BootId, input.Now, step.Digest, wanted.Module.BuildId, wanted.Path)
            {
                Content = wanted.Module.Content,
                FileSystem = wanted.FileSystem,
            },
            input));
    }

    private bool Intend(RecordKind kind, PlanStep step, PlannerInput input)
    {
        var wanted = step.DigestOrNull is { } digest ? input.Want.Wanted.First(w => w.Name == step.Name && w.Module.Digest == digest) : null;
        var record = new JournalRecord(
            kind, step.Name, input.Seen.Kernel.BootId, input.Now, wanted?.Module.Digest, wanted?.Module.BuildId, wanted?.Path, step.WhyOrNull, Detail: step.DetailOrNull)
        {
            Content = wanted?.Module.Content,
            FileSystem = wanted?.FileSystem,
        };
        return journal.Record(kind is RecordKind.LoadIntent ? probation.Charge(record, input) : record);
    }

    /// <param name="check">Asked first; null when nothing can stand against the call.</param>
    private void Start(PlanStep step, bool transition, Func<SysResult> call, Func<(PreflightFacts Facts, Foresight Foresight)>? check = null)
    {
        var mark = window.Mark;
        var owned = journal.Ledger.Owned.GetValueOrDefault(step.Name);
        impact.Starts(step, step.DigestOrNull ?? owned?.Digest, owned is null ? null : journal.Ledger.Against(owned));
        worker.Start(step, () =>
        {
            StepPoints.Before(step);
            var begin = Stopwatch.GetTimestamp();
            var before = check?.Invoke();
            var foreseen = before?.Foresight is { Reason: not null } against ? against : null;
            var result = foreseen is null ? call() : SysResult.Fail(KernelAnswers.To(foreseen.Reason!.Value) ?? Errno.EAGAIN, "preflight");
            var took = Stopwatch.GetElapsedTime(begin);
            StepPoints.After(step);
            impact.Returned(step, result);
            return new WorkResult.Stepped(step, result, took, mark, transition) { Facts = before?.Facts, Foreseen = foreseen };
        });
    }

    // On the worker's thread, which is the one that gets placed; whatever else it does runs unplaced.
    private SysResult LoadCopy(StoredPatch copy, PlacementSettings placement)
    {
        Failpoint.At("load.copy");
        var opened = store.OpenStored(copy);
        if (!opened.IsOk)
            return opened.WithoutValue;
        using var file = opened.Value;
        return placer.Run(placement, file, () => kernel.Load(file));
    }
}
