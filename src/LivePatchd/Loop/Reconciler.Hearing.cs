// What reaches the loop from outside between two looks: the kernel's log, and the journal with the marks of other boots.
using LivePatchd.Core.Model;

namespace LivePatchd.Loop;

internal sealed partial class Reconciler
{
    /// <summary>True when the kernel spoke of a patch.</summary>
    private bool DrainLog()
    {
        var hint = false;
        parts.KernelLog.Drain(record =>
        {
            window.Add(record);
            hint |= record.FromKernel && record.Message.StartsWith("livepatch", StringComparison.Ordinal);
            wakeAt = LoopWait.Earliest(wakeAt, probation.Heard(record));
        });
        return hint;
    }

    private void OpenJournal()
    {
        journal.Open(kernel.BootId);
        if (journal.Bar is not Reason.JournalUnavailable)
            parts.Host.Begin();
    }
}
