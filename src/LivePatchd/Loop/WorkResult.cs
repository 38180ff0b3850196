// What comes back from the worker thread: the outcome of one operation, for the loop to record.
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Linux.Store;

namespace LivePatchd.Loop;

internal abstract record WorkResult
{
    internal sealed record Scanned(ScanResult Result) : WorkResult;

    /// <param name="LogMark">Kernel log position before the call.</param>
    /// <param name="TransitionRunning">Some patch was in transition when the call was made.</param>
    internal sealed record Stepped(PlanStep Step, SysResult Result, TimeSpan Took, ulong LogMark, bool TransitionRunning) : WorkResult;

    internal sealed record Staged(Command.Stage Command, StageResult Result) : WorkResult;

    internal sealed record Unstaged(Command.Unstage Command, SysResult Result) : WorkResult;

    /// <summary>A bug: the operation threw. Reported, and the loop goes on.</summary>
    internal sealed record Broken(PlanStep? Step, Exception Exception) : WorkResult;
}
