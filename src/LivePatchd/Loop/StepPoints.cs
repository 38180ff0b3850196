// The failpoints of the loop's steps and records, each by its own name.
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux;

namespace LivePatchd.Loop;

internal static class StepPoints
{
    /// <summary>On the worker's thread, right before the call into the kernel.</summary>
    public static void Before(PlanStep step)
    {
        switch (step)
        {
            case PlanStep.Load:
                Failpoint.At("load.before");
                break;
            case PlanStep.Disable:
                Failpoint.At("disable.before");
                break;
            case PlanStep.Reverse:
                Failpoint.At("reverse.before");
                break;
            case PlanStep.Unload:
                Failpoint.At("unload.before");
                break;
        }
    }

    /// <summary>On the worker's thread: the kernel has done it, and nobody knows yet.</summary>
    public static void After(PlanStep step)
    {
        switch (step)
        {
            case PlanStep.Load:
                Failpoint.At("load.after");
                break;
            case PlanStep.Disable:
                Failpoint.At("disable.after");
                break;
            case PlanStep.Reverse:
                Failpoint.At("reverse.after");
                break;
            case PlanStep.Unload:
                Failpoint.At("unload.after");
                break;
        }
    }

    /// <summary>In the journal, and nothing has followed from it yet.</summary>
    public static void Recorded(RecordKind kind)
    {
        switch (kind)
        {
            case RecordKind.LoadIntent:
                Failpoint.At("record.load-intent");
                break;
            case RecordKind.Loaded:
                Failpoint.At("record.loaded");
                break;
            case RecordKind.LoadFailed:
                Failpoint.At("record.load-failed");
                break;
            case RecordKind.Abandoned:
                Failpoint.At("record.abandoned");
                break;
            case RecordKind.Adopted:
                Failpoint.At("record.adopted");
                break;
            case RecordKind.Activated:
                Failpoint.At("record.activated");
                break;
            case RecordKind.DisableIntent:
                Failpoint.At("record.disable-intent");
                break;
            case RecordKind.Superseded:
                Failpoint.At("record.superseded");
                break;
            case RecordKind.Gone:
                Failpoint.At("record.gone");
                break;
            case RecordKind.Quarantined:
                Failpoint.At("record.quarantined");
                break;
            case RecordKind.Released:
                Failpoint.At("record.released");
                break;
            case RecordKind.Confirmed:
                Failpoint.At("record.confirmed");
                break;
            case RecordKind.OperatorApplied:
                Failpoint.At("record.operator-applied");
                break;
            case RecordKind.OperatorReverted:
                Failpoint.At("record.operator-reverted");
                break;
        }
    }
}
