// What comes back from the worker thread: the outcome of one operation, for the loop to record.
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Linux.Store;

namespace LivePatchd.Loop;

internal abstract record WorkResult
{
    /// <param name="Begun">What the scan misses was missing by then.</param>
    /// <param name="Facts">Of the wanted patches that are not in the kernel.</param>
    internal sealed record Scanned(Instant Begun, ScanResult Result, PreflightFacts Facts) : WorkResult;

    /// <param name="Facts">Null when only something was made ready.</param>
    internal sealed record Surveyed(PreflightFacts? Facts) : WorkResult;

    internal sealed record Probed(Command.PlanFile Command, ProbeResult Result, PreflightFacts Facts) : WorkResult;

    /// <param name="LogMark">Kernel log position before the call.</param>
    /// <param name="TransitionRunning">Some patch was in transition when the call was made.</param>
    internal sealed record Stepped(PlanStep Step, SysResult Result, TimeSpan Took, ulong LogMark, bool TransitionRunning) : WorkResult
    {
        /// <summary>Of a load: what was read right before it; null for other steps.</summary>
        public PreflightFacts? Facts { get; init; }

        /// <summary>Of a load that the kernel was not asked for: why not.</summary>
        public Foresight? Foreseen { get; init; }
    }

    internal sealed record Staged(Command.Stage Command, StageResult Result) : WorkResult;

    internal sealed record Unstaged(Command.Unstage Command, SysResult Result) : WorkResult;

    /// <summary>A bug: the operation threw. Reported, and the loop goes on.</summary>
    internal sealed record Broken(PlanStep? Step, Exception Exception) : WorkResult;

    /// <summary>The kernel ended the thread inside the call: it oopsed in there.</summary>
    internal sealed record Lost(PlanStep? Step) : WorkResult;
}
