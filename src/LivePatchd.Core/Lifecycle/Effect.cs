// What the daemon does when a patch changes state: data, so that log, metrics, bus and tests see one value.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Lifecycle;

public enum Operation
{
    Apply,
    Revert,
}

public enum OperationResult
{
    Done,
    Failed,
    Reversed,
}

public abstract record Effect
{
    private Effect()
    {
    }

    /// <summary>Tell the log, the bus and the status line.</summary>
    public sealed record Announce(PatchState? From, PatchState To) : Effect;

    /// <summary>Count the end of an apply or revert; the time since it began goes into the histogram.</summary>
    public sealed record Finish(Operation Operation, OperationResult Result) : Effect;

    /// <summary>Start measuring an apply or revert.</summary>
    public sealed record Begin(Operation Operation) : Effect;

    /// <summary>The table knows no such move: a bug, reported, and the observed fact is shown all the same.</summary>
    public sealed record ReportImpossible(PatchState From, LifecycleEvent Event) : Effect;
}
