// One record of /dev/kmsg.
namespace LivePatchd.Core.Parsing;

/// <param name="Priority">0 (emergency) to 7 (debug).</param>
/// <param name="Facility">0 is the kernel itself; anything else was written by a program.</param>
/// <param name="Timestamp">Time since boot as the kernel's log clock counts it.</param>
/// <param name="Message">First line of the record, control characters replaced.</param>
public sealed record KernelLogRecord(int Priority, int Facility, ulong Sequence, TimeSpan Timestamp, string Message)
{
    /// <summary>Programs may write to /dev/kmsg, but the kernel never lets them use its own facility.</summary>
    public bool FromKernel => Facility == 0;
}
