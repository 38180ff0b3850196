// Tells the recorder where the phases of an operation begin and end: from the steps taken, and from what each look shows.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Loop;

internal sealed class ImpactFollower(ImpactRecorder recorder)
{
    /// <summary>On the loop's thread, right before the step's call is handed to the worker.</summary>
    /// <param name="evidence">What was found against the patch, where it is taken out for that.</param>
    public void Starts(PlanStep step, Sha256? digest, QuarantineMark? evidence)
    {
        switch (step)
        {
            case PlanStep.Load:
                recorder.Begin(step.Name, digest, Operation.Apply, ImpactPhase.Load);
                break;
            case PlanStep.Reverse when recorder.Running is { Operation: Operation.Apply } running && running.Patch == step.Name:
                recorder.Next(ImpactPhase.Revert);
                recorder.Explain(step.WhyOrNull, step.DetailOrNull ?? evidence?.Detail, evidence?.Grade);
                break;
            case PlanStep.Reenable:
                break; // What was to be a revert is measured until the patch is active again.
            case PlanStep.Disable or PlanStep.Reverse:
                recorder.Begin(step.Name, digest, Operation.Revert, ImpactPhase.Revert);
                recorder.Explain(step.WhyOrNull, step.DetailOrNull ?? evidence?.Detail, evidence?.Grade);
                break;
        }
    }

    /// <summary>On the worker's thread, right after the call.</summary>
    public void Returned(PlanStep step, SysResult result)
    {
        if (recorder.Running is not { } running || running.Patch != step.Name)
            return;
        switch (step)
        {
            case PlanStep.Load when result.IsOk:
                recorder.Next(ImpactPhase.Transition);
                break;
            case PlanStep.Load:
                recorder.End(OperationResult.Failed);
                break;
            case PlanStep.Reverse when !result.IsOk && running.Operation is Operation.Apply:
                recorder.Next(ImpactPhase.Transition);
                break;
            case PlanStep.Disable or PlanStep.Reverse when !result.IsOk:
                recorder.Abandon();
                break;
        }
    }

    /// <summary>On the loop's thread, at every look. A transition that this process did not begin is measured from where it was found.</summary>
    public void Look(PlannerInput input)
    {
        if (input.Busy?.Step is PlanStep.Load or PlanStep.Disable or PlanStep.Reverse or PlanStep.Reenable)
            return;
        if (recorder.Running is not { } running)
        {
            if (input.Seen.InTransition is { } found && input.Ledger.Owned.TryGetValue(found.Name, out var owned))
            {
                var enabling = found.State is KernelPatchState.Enabling;
                recorder.Begin(
                    found.Name, owned.Digest, enabling ? Operation.Apply : Operation.Revert, enabling ? ImpactPhase.Transition : ImpactPhase.Revert);
            }
            return;
        }
        var state = input.Seen.Find(running.Patch)?.State ?? KernelPatchState.NotLoaded;
        switch (state)
        {
            case KernelPatchState.Enabling:
                if (running.Operation is Operation.Apply)
                    recorder.Next(ImpactPhase.Transition);
                break;
            case KernelPatchState.Disabling:
                recorder.Next(ImpactPhase.Revert);
                break;
            case KernelPatchState.Active:
                recorder.End(running.Operation is Operation.Apply ? OperationResult.Done : OperationResult.Reversed);
                break;
            default:
                recorder.End(running.Operation is Operation.Revert ? OperationResult.Done
                    : running.Phase is ImpactPhase.Revert ? OperationResult.Reversed
                    : OperationResult.Failed);
                break;
        }
    }
}
