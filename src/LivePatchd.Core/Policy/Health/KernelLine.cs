// One line of the kernel's log: does it begin a report of trouble, and of which kind?
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Health;

public static class KernelLine
{
    /// <summary>KernelOops, KernelWarning or KernelLockup; null for everything else, and for lines that a program wrote.</summary>
    public static Reason? Classify(KernelLogRecord record) => null;
}
