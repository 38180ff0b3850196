// One line of the kernel's log: does it begin a report of trouble, and of which kind?
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Health;

/// <summary>
/// Total on any text. It is a hint to look, no more: programs cannot write as the kernel, but their names stand in its lines, and some lines
/// begin with one. What counts is <see cref="ReportForm"/>, and the kernel's counters.
/// </summary>
public static class KernelLine
{
    /// <summary>The kernel reports trouble as warning or worse; what it says of programs that fault is of lower importance.</summary>
    private const int LeastPriority = 4;

    /// <summary>Longest name of a task (TASK_COMM_LEN without its NUL).</summary>
    private const int MaxComm = 15;

    // arch/*/kernel/traps.c, arch/*/mm/fault.c, lib/bug.c, kernel/panic.c.
    private static readonly ImmutableArray<string> Oopses =
    [
        "BUG: ", "kernel BUG at ", "Oops: ", "Oops[", "Internal error: ", "Unable to handle kernel ", "general protection fault",
        "invalid opcode: ", "divide error: ", "stack segment: ", "double fault: ", "int3: ", "Kernel panic - not syncing",
    ];

    // lib/bug.c and kernel/panic.c name a place in the source; kernel/locking/lockdep.c and kernel/rcu name what is wrong.
    private static readonly ImmutableArray<string> Warnings =
    [
        "WARNING: CPU: ", "WARNING: possible ", "WARNING: suspicious ", "WARNING: inconsistent lock state", "WARNING: bad unlock balance",
        "WARNING: lock held ", "WARNING: held lock freed", "WARNING: Nested lock ", "WARNING: stack recursion",
    ];

    // kernel/watchdog*.c and kernel/workqueue.c.
    private static readonly ImmutableArray<string> Lockups =
    [
        "BUG: soft lockup", "BUG: workqueue lockup", "Watchdog detected hard LOCKUP",
    ];

    /// <summary>KernelOops, KernelWarning or KernelLockup; null for everything else, and for lines that a program wrote.</summary>
    public static Reason? Classify(KernelLogRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (!record.FromKernel || record.Priority > LeastPriority || BeginsWithTask(record.Message))
            return null;
        var text = Bare(record.Message);
        return StartsWithAny(text, Lockups) || IsStall(text) ? Reason.KernelLockup
            : StartsWithAny(text, Oopses) ? Reason.KernelOops
            : StartsWithAny(text, Warnings) || IsPlaceWarning(text) ? Reason.KernelWarning
            : null;
    }

    /// <summary>The line without the prefixes of subsystems that report trouble of others.</summary>
    internal static string Bare(string line)
    {
        foreach (var prefix in (ReadOnlySpan<string>)["NMI watchdog: ", "watchdog: ", "rcu: "])
        {
            if (line.StartsWith(prefix, StringComparison.Ordinal))
                line = line[prefix.Length..];
        }
        // "CPU5: Watchdog detected hard LOCKUP on cpu 5"
        return line.StartsWith("CPU", StringComparison.Ordinal) && line.IndexOf(": ", StringComparison.Ordinal) is > 3 and < 10 and var colon
            ? line[(colon + 2)..]
            : line;
    }

    /// <summary>"INFO: rcu_preempt self-detected stall on CPU", "INFO: task NAME:PID blocked for more than 120 seconds."</summary>
    private static bool IsStall(string text) =>
        text.StartsWith("INFO: rcu", StringComparison.Ordinal) && text.Contains("stall", StringComparison.Ordinal)
        || text.StartsWith("INFO: task ", StringComparison.Ordinal) && text.Contains(" blocked for more than ", StringComparison.Ordinal);

    /// <summary>Newer kernels put the place first: "WARNING: kernel/fork.c:100 at copy_process+0x…".</summary>
    private static bool IsPlaceWarning(string text)
    {
        const string Head = "WARNING: ";
        if (!text.StartsWith(Head, StringComparison.Ordinal))
            return false;
        var place = text[Head.Length..].Split(' ', 3);
        return place is [_, "at", ..] && place[0].LastIndexOf(':') is > 0 and var colon
            && colon + 1 < place[0].Length && place[0][(colon + 1)..].All(char.IsAsciiDigit);
    }

    /// <summary>"NAME[PID]: segfault …" and the like begin with a name that a program gave itself.</summary>
    private static bool BeginsWithTask(string line)
    {
        for (var open = line.IndexOf('['); open is >= 0 and <= MaxComm; open = line.IndexOf('[', open + 1))
        {
            var digits = open + 1;
            while (digits < line.Length && char.IsAsciiDigit(line[digits]))
                digits++;
            if (digits > open + 1 && digits < line.Length && line[digits] == ']')
                return true;
        }
        return false;
    }

    private static bool StartsWithAny(string text, ImmutableArray<string> beginnings)
    {
        foreach (var beginning in beginnings)
        {
            if (text.StartsWith(beginning, StringComparison.Ordinal))
                return true;
        }
        return false;
    }
}
