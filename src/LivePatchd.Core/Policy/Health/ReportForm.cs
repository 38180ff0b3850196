// The forms in which the kernel reports trouble: a first line as only the kernel writes it, and what must follow.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Health;

/// <summary>
/// Many lines of the kernel begin with the name of the calling task, 15 bytes that any program chooses for itself, and go on with the kernel's
/// own words. So a first line is taken for one only by what no such name can make up, and no line is a report without its trace.
/// </summary>
internal static class ReportForm
{
    private const string Cut = "------------[ cut here ]------------";

    // lib/bug.c, kernel/panic.c, kernel/locking/lockdep.c, kernel/rcu.
    private static readonly ImmutableArray<string> Warnings =
    [
        "WARNING: CPU: $ PID: $ at ~", "WARNING: ~:$ at ~+0x%/0x%",
        "WARNING: possible ~ ~ ~", "WARNING: suspicious RCU usage", "WARNING: inconsistent lock state", "WARNING: bad unlock balance",
        "WARNING: lock held when ", "WARNING: held lock freed", "WARNING: Nested lock was ", "WARNING: stack recursion on ",
    ];

    // arch/*/kernel/traps.c, arch/*/mm/fault.c, mm/kasan, mm/kfence, kernel/sched/core.c, kernel/panic.c.
    private static readonly ImmutableArray<string> Oopses =
    [
        "BUG: unable to handle ", "BUG: kernel NULL pointer dereference, address: ", "BUG: stack guard page was hit at ",
        "BUG: KASAN: * in ~+0x%/0x%", "BUG: KFENCE: * in ~+0x%/0x%", "BUG: KMSAN: * in ~+0x%/0x%", "BUG: KCSAN: * in ~",
        "BUG: scheduling while atomic: ", "BUG: sleeping function called from invalid context at ", "BUG: Bad page state in process ",
        "BUG: Bad page map in process ", "BUG: Bad rss-counter state ", "BUG: spinlock ~ on CPU#$", "BUG: spinlock ~ ~ on CPU#$", "BUG: using ~ in preemptible [%] code",
        "kernel BUG at ~:$!", "Oops: % [#$] SMP", "Oops: % [#$] PREEMPT", "Oops: ~ ~: % [#$]", "Oops: general protection fault", "Oops: Kernel access of bad area",
        "Internal error: *[#$]", "Unable to handle kernel ",
        "general protection fault, ", "general protection fault: % [#$]", "invalid opcode: % [#$]", "divide error: % [#$]", "stack segment: % [#$]",
        "double fault: % [#$]", "Kernel panic - not syncing: ",
    ];

    // kernel/watchdog*.c, kernel/workqueue.c.
    private static readonly ImmutableArray<string> Lockups =
    [
        "BUG: soft lockup - CPU#$ stuck for $s! [*:$]", "Watchdog detected hard LOCKUP on cpu $", "BUG: workqueue lockup - pool",
    ];

    // kernel/rcu/tree_stall.h, kernel/rcu/tree_exp.h, kernel/rcu/tasks.h.
    private static readonly ImmutableArray<string> Stalls =
    [
        "INFO: ~ self-detected stall on CPU", "INFO: ~ detected stalls on CPUs/tasks:", "INFO: ~ detected stalls on tasks:",
        "INFO: ~ detected expedited stalls on CPUs/tasks: {",
    ];

    // kernel/hung_task.c.
    private const string HungTask = "INFO: task *:$ blocked for more than $ seconds.";

    /// <summary>KernelOops, KernelWarning or KernelLockup when this line is one that only the kernel's report of it begins with.</summary>
    /// <param name="text">Without the prefix of a subsystem.</param>
    public static Reason? Head(string text) =>
        Any(text, Lockups) || Any(text, Stalls) || LineTemplate.IsAll(text, HungTask) ? Reason.KernelLockup
        : Any(text, Oopses) ? Reason.KernelOops
        : Any(text, Warnings) ? Reason.KernelWarning
        : null;

    /// <summary>One of the lines is a first line of this kind, and what belongs to it follows.</summary>
    public static bool IsWhole(Reason kind, ImmutableArray<string> lines)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            var text = KernelLine.Bare(lines[i]);
            if (Head(text) == kind && lines.Skip(i + 1).Any(LineTemplate.IsAll(text, HungTask) ? BelongsToHungTask : IsTrace))
                return true;
        }
        return false;
    }

    private static bool BelongsToHungTask(string line) =>
        line == "\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.";

    /// <summary>Exact, or longer than a task's name.</summary>
    private static bool IsTrace(string line) =>
        line.Trim() is "Call Trace:" or "Call trace:" or "<TASK>" or "<IRQ>" or "<NMI>" or Cut
        || line.StartsWith("Modules linked in:", StringComparison.Ordinal)
        || line.StartsWith("Showing busy workqueues and worker pools:", StringComparison.Ordinal)
        || line.StartsWith("---[ end trace ", StringComparison.Ordinal)
        || LineTemplate.Fits(line, "RIP: $:~+0x%/0x%") || LineTemplate.Fits(line, "pc : ~+0x%/0x%")
        || LineTemplate.Fits(line, "NMI backtrace for cpu $") || LineTemplate.Fits(line, "Sending NMI from CPU $ to CPUs ");

    private static bool Any(string text, ImmutableArray<string> templates)
    {
        foreach (var template in templates)
        {
            if (LineTemplate.Fits(text, template))
                return true;
        }
        return false;
    }
}
