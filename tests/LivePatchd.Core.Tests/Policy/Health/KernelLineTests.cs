// Lines of the kernel's log, one table: which of them report trouble; and what others may write does not.
using CsCheck;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Tests.Policy.Health;

public sealed class KernelLineTests
{
    [Theory]
    [InlineData(1, "BUG: kernel NULL pointer dereference, address: 0000000000000000", Reason.KernelOops)]
    [InlineData(1, "BUG: unable to handle page fault for address: ffffc90000000000", Reason.KernelOops)]
    [InlineData(3, "BUG: KASAN: slab-out-of-bounds in lp_write+0x10/0x20 [lp_x]", Reason.KernelOops)]
    [InlineData(3, "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:283", Reason.KernelOops)]
    [InlineData(3, "BUG: scheduling while atomic: swapper/0/0/0x00000002", Reason.KernelOops)]
    [InlineData(2, "kernel BUG at fs/ext4/inode.c:2721!", Reason.KernelOops)]
    [InlineData(4, "Oops: 0002 [#1] PREEMPT SMP NOPTI", Reason.KernelOops)]
    [InlineData(4, "Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1]", Reason.KernelOops)]
    [InlineData(4, "general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP", Reason.KernelOops)]
    [InlineData(4, "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI", Reason.KernelOops)]
    [InlineData(4, "divide error: 0000 [#1] SMP", Reason.KernelOops)]
    [InlineData(0, "Internal error: Oops: 0000000096000004 [#1] SMP", Reason.KernelOops)]
    [InlineData(1, "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000", Reason.KernelOops)]
    [InlineData(0, "Kernel panic - not syncing: Fatal exception in interrupt", Reason.KernelOops)]
    [InlineData(4, "WARNING: CPU: 1 PID: 123 at kernel/fork.c:100 copy_process+0x1b/0x20", Reason.KernelWarning)]
    [InlineData(4, "WARNING: CPU: 0 PID: 1 at /build/lp-x.c:12 lp_tick+0x1b/0x20 [lp_x]", Reason.KernelWarning)]
    [InlineData(4, "WARNING: kernel/fork.c:100 at copy_process+0x1b/0x20, CPU#1: bash/123", Reason.KernelWarning)]
    [InlineData(4, "WARNING: possible circular locking dependency detected", Reason.KernelWarning)]
    [InlineData(4, "WARNING: suspicious RCU usage", Reason.KernelWarning)]
    [InlineData(0, "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [kworker/0:1:15]", Reason.KernelLockup)]
    [InlineData(0, "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1", Reason.KernelLockup)]
    [InlineData(0, "watchdog: CPU5: Watchdog detected hard LOCKUP on cpu 5", Reason.KernelLockup)]
    [InlineData(0, "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!", Reason.KernelLockup)]
    [InlineData(3, "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", Reason.KernelLockup)]
    [InlineData(3, "rcu: INFO: rcu_sched self-detected stall on CPU", Reason.KernelLockup)]
    [InlineData(3, "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-... } 21 jiffies", Reason.KernelLockup)]
    [InlineData(3, "INFO: rcu_tasks detected stalls on tasks:", Reason.KernelLockup)]
    [InlineData(3, "INFO: task kworker/u4:1:55 blocked for more than 120 seconds.", Reason.KernelLockup)]
    public void Trouble(int priority, string line, Reason kind)
    {
        Assert.Equal(kind, KernelLine.Classify(Line(priority, line)));
        // A program may write the very same to /dev/kmsg, under any facility but the kernel's.
        for (var facility = 1; facility < 24; facility++)
            Assert.Null(KernelLine.Classify(Line(priority, line) with { Facility = facility }));
    }

    [Theory]
    // Programs that fault, under names of their own choice.
    [InlineData(6, "traps: demo[123] general protection fault ip:7f0000 sp:7ffd error:0 in demo")]
    [InlineData(6, "BUG: x[123]: segfault at 0 ip 000055 sp 00007f error 4 in x")]
    [InlineData(4, "BUG: x[123]: segfault at 0 ip 000055 sp 00007f error 4 in x")]
    [InlineData(4, "WARNING: CPU: [9] vsyscall read attempt denied")]
    [InlineData(4, "Oops: a [b][77] misbehaves")]
    [InlineData(6, "WARNING: CPU: 1 PID: 123 at kernel/fork.c:100 copy_process+0x1b/0x20")]
    [InlineData(4, "process 'BUG: x' started with executable stack")]
    // What the kernel says of other things.
    [InlineData(4, "WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!")]
    [InlineData(4, "WARNING: x at y")]
    [InlineData(4, "WARNING: a:b at y")]
    [InlineData(4, "WARNING: :12 at y")]
    [InlineData(4, "WARNING: a: at y")]
    [InlineData(4, "WARNING: ")]
    [InlineData(4, "note: BUG: is not where a report begins")]
    [InlineData(3, "INFO: task blocked for a while")]
    [InlineData(3, "INFO: rcu is fine")]
    [InlineData(6, "rcu: Hierarchical RCU implementation.")]
    [InlineData(6, "CPU1: BUG")]
    [InlineData(4, "CPU: 1 PID: 5 Comm: x")]
    [InlineData(6, "livepatch: enabling patch 'lp_x'")]
    [InlineData(4, "lp_x: loading out-of-tree module taints kernel.")]
    [InlineData(4, "")]
    public void No_trouble(int priority, string line) => Assert.Null(KernelLine.Classify(Line(priority, line)));

    private static readonly string[] Heads = ["", "BUG: ", "WARNING: ", "INFO: rcu", "CPU1: ", "watchdog: ", "[1", "INFO: task "];

    [Fact]
    public void Any_text_is_classified() => Gen.Select(Gen.String, Gen.Int[0, Heads.Length - 1]).Sample((text, head) =>
    {
        var kind = KernelLine.Classify(Line(0, Heads[head] + text));
        Assert.True(kind is null or Reason.KernelOops or Reason.KernelWarning or Reason.KernelLockup);
    });

    internal static KernelLogRecord Line(int priority, string text, ulong sequence = 1, double second = 1) =>
        new(priority, 0, sequence, TimeSpan.FromSeconds(second), text);
}
