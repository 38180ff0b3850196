// What reaches the loop from outside: the kernel's log, its first reading, and the journal with the marks of other boots.
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Log;

namespace LivePatchd.Loop;

internal sealed partial class Reconciler
{
    private StackOrderWatch? stackOrder;

    /// <summary>True when the kernel spoke of a patch.</summary>
    private bool DrainLog()
    {
        var hint = false;
        parts.KernelLog.Drain(record =>
        {
            window.Add(record);
            hint |= refusals.Take(record) || (record.FromKernel && record.Message.StartsWith("livepatch", StringComparison.Ordinal));
            wakeAt = LoopWait.Earliest(wakeAt, probation.Heard(record));
        });
        // What was overwritten before it was read may have been such a line.
        hint |= overruns != parts.KernelLog.Overruns;
        overruns = parts.KernelLog.Overruns;
        return hint;
    }

    private ObservedState WithStackOrder(ObservedState seen) => (stackOrder ??= new StackOrderWatch(parts.Kernel, LookAgain, log)).Complete(seen);

    /// <summary>True when somebody set the wall clock: windows, deadlines and dates of manifests are judged anew.</summary>
    private bool HearWallClock()
    {
        if (!parts.WallClock.Drain())
            return false;
        parts.Gates.Rung(clock.Now());
        return true;
    }

    private IReadOnlyCollection<PatchName> Names() =>
        [.. desired.Wanted.Select(w => w.Name), .. journal.Ledger.Owned.Keys];

    private bool IsOnProbation() => !Probation.Suspects(journal.Ledger).IsEmpty;

    private void OpenJournal()
    {
        journal.Open(kernel.BootId);
        MarkHost();
    }

    private void MarkHost()
    {
        if (journal.HasLearned)
            parts.Host.Begin();
    }

    /// <summary>Whose boot this is must be known before the journal is read: it says whose the modules are.</summary>
    private KernelFacts FirstReading()
    {
        ObservedState seen;
        while (IsBlind(seen = parts.Kernel.Observe([])) && !stopping)
        {
            parts.Notifier.Watchdog();
            wait.Until(clock.Now().After(BlindPause));
        }
        return seen.Kernel;
    }

    /// <summary>What cannot be read is not gone: nothing is learned, planned or done until it can be read again.</summary>
    private bool IsBlind(ObservedState seen)
    {
        if (seen.Whole == !blind)
            return blind;
        blind = !seen.Whole;
        if (blind)
            log.Problem(EventKind.Refused, "The kernel's files cannot be read; nothing is changed until they can");
        else
            log.Note(EventKind.StepTaken, "The kernel's files can be read again");
        return blind;
    }

    private void Lose(PlanStep? step)
    {
        executor.Lost(step, clock.Now());
        GiveUp(step);
    }

    /// <summary>A step that nobody knows the outcome of.</summary>
    private void GiveUp(PlanStep? step)
    {
        if (step is not null)
            force.Conclude(step, SysResult.Fail(Errno.EIO, step.Action));
    }
}
