// Blocking tasks over several looks, transitions that can never complete, and the CPU for a load.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy;

namespace LivePatchd.Core.Tests.Policy;

public sealed class BlockingTests
{
    private static readonly PatchName Patch = PatchName.Parse("fix");

    private static readonly HashSet<string> Functions = ["busy_main", "vfs_read"];

    [Theory]
    [InlineData("schedule busy_main kthread ret_from_fork ret_from_fork_asm", true, "busy_main")]
    [InlineData("schedule busy_main kthread ret_from_fork", true, "busy_main")]
    [InlineData("schedule busy_main kthread", true, "busy_main")]
    [InlineData("busy_main worker_thread kthread ret_from_fork", false, "busy_main")]
    [InlineData("schedule worker_thread kthread ret_from_fork", false, null)]
    [InlineData("vfs_read do_syscall_64 entry_SYSCALL_64", false, "vfs_read")]
    [InlineData("schedule busy_main", false, "busy_main")]
    [InlineData("fix_main@fix kthread ret_from_fork", true, "fix_main")]
    [InlineData("kthread ret_from_fork", false, null)]
    [InlineData("", false, null)]
    public void Only_a_main_function_below_kthread_never_leaves(string stack, bool never, string? function)
    {
        var frames = Frames(stack);
        Assert.Equal(never, NeverCompletes.IsMainFunction(frames, Patch, Functions));
        Assert.Equal(function, NeverCompletes.ChangedFunction(frames, Patch, Functions));
    }

    [Fact]
    public void Time_and_attempts_grow_with_the_looks_and_the_oldest_is_first()
    {
        var memory = BlockerMemory.Empty;
        (memory, _) = memory.Add(Report(0, [7]));
        (memory, _) = memory.Add(Report(0.2, [7]));
        (memory, var last) = memory.Add(Report(5, [3, 7]));
        Assert.Equal([(7, 5.0, 2), (3, 0.0, 1)], last.Blockers.Select(b => (b.Task.Tid, b.BlockedFor.TotalSeconds, b.AttemptsBlocked)));
        Assert.Equal([7, 3], memory.Oldest.Select(t => t.Tid));
    }

    [Fact]
    public void A_task_that_switched_is_forgotten_and_a_reversal_starts_anew()
    {
        var (memory, _) = BlockerMemory.Empty.Add(Report(0, [7, 8]));
        (memory, _) = memory.Add(Report(10, [8]));
        (memory, var back) = memory.Add(Report(20, [7, 8]));
        Assert.Equal([(8, 20.0), (7, 0.0)], back.Blockers.Select(b => (b.Task.Tid, b.BlockedFor.TotalSeconds)));
        var (_, reversed) = memory.Add(Report(30, [8]) with { Enabling = false });
        Assert.Equal(TimeSpan.Zero, reversed.Blockers[0].BlockedFor);
    }

    [Fact]
    public void A_later_task_of_the_same_number_is_another_one()
    {
        var (memory, _) = BlockerMemory.Empty.Add(Report(0, [7]));
        var other = Report(10, [7]);
        other = other with { Blockers = [other.Blockers[0] with { Task = new TaskKey(7, 7, 99) }] };
        Assert.Equal(TimeSpan.Zero, memory.Add(other).Report.Blockers[0].BlockedFor);
    }

    [Fact]
    public void Units_are_in_the_order_of_their_longest_blocker()
    {
        var report = Report(0, [1, 2, 3, 4]);
        report = report with
        {
            Blockers =
            [
                report.Blockers[0] with { Owner = "a.service", BlockedFor = TimeSpan.FromSeconds(1) },
                report.Blockers[1] with { Owner = "a.service", BlockedFor = TimeSpan.FromSeconds(9) },
                report.Blockers[2] with { Kthread = true, BlockedFor = TimeSpan.FromSeconds(20) },
                report.Blockers[3],
            ],
        };
        Assert.Equal(
            [(BlockerReport.KernelThreads, 1, 20.0), ("a.service", 2, 9.0), (BlockerReport.NoUnit, 1, 0.0)],
            report.ByUnit().Select(u => (u.Name, u.Tasks, u.LongestBlocked!.Value.TotalSeconds)));
    }

    [Fact]
    public void Units_count_all_their_tasks_and_not_only_those_listed()
    {
        var report = Report(0, [1, 2, 3, 4]);
        report = report with
        {
            Blockers =
            [
                report.Blockers[0] with { Owner = "a.service", BlockedFor = TimeSpan.FromSeconds(9) },
                report.Blockers[1] with { Owner = "a.service" },
                report.Blockers[2] with { Kthread = true, BlockedFor = TimeSpan.FromSeconds(20) },
                report.Blockers[3] with { Owner = "late.service" },
            ],
            Counted =
            [
                new("b.service", 7, null), new("a.service", 1000, null), new(BlockerReport.KernelThreads, 1, null),
                new("c.service", 70, null), new(BlockerReport.Others, 5, null),
            ],
        };
        Assert.Equal(
            [
                (BlockerReport.KernelThreads, 1, 20.0), ("a.service", 1000, 9.0), ("late.service", 1, 0.0), ("c.service", 70, null), ("b.service", 7, null),
                (BlockerReport.Others, 4, (double?)null),
            ],
            report.ByUnit().Select(u => (u.Name, u.Tasks, u.LongestBlocked?.TotalSeconds)));
    }

    [Theory]
    // online, allowed, reserved, received before, received after, choice
    [InlineData("0 1 2 3", "0 1 2 3", "", "0 0 0 0", "9 5 1 7", 2)]
    [InlineData("0 1 2 3", "0 1 2 3", "2", "0 0 0 0", "9 5 1 7", 1)]
    [InlineData("0 1 2 3", "0 3", "", "0 0 0 0", "9 5 1 7", 3)]
    [InlineData("0 1", "0 1", "", "1000 0", "1001 50", 0)]
    [InlineData("0 1", "0 1", "", "4294967295 0", "1 5", 0)]
    [InlineData("0 1", "0 1", "", "0 0", "4 4", 0)]
    [InlineData("0 1", "0 1", "", "", "900 4", 1)]
    [InlineData("0 1", "0 1", "", "", "", null)]
    [InlineData("0 1", "0 1", "0 1", "0 0", "9 5", null)]
    [InlineData("0 1", "1", "", "", "", 1)]
    public void The_quietest_cpu_that_is_not_set_aside(string online, string allowed, string reserved, string before, string after, int? expected)
    {
        var facts = new CpuFacts(Numbers(online), Numbers(allowed), Numbers(reserved), Counts(before), Counts(after));
        var choice = LoadCpu.Choose(new PlacementSettings(CpuChoice.Auto, null, 10), facts);
        Assert.Equal(expected, choice.Cpu);
        Assert.NotEmpty(choice.Why);
    }

    [Theory]
    [InlineData(CpuChoice.None, null, null)]
    [InlineData(CpuChoice.Fixed, 1, 1)]
    [InlineData(CpuChoice.Fixed, 2, null)]
    [InlineData(CpuChoice.Fixed, 3, null)]
    public void A_setting_decides_where_it_can(CpuChoice cpu, int? number, int? expected)
    {
        var facts = new CpuFacts([0, 1, 2], [0, 1], [1], [], []);
        Assert.Equal(expected, LoadCpu.Choose(new PlacementSettings(cpu, number, 10), facts).Cpu);
    }

    private static ImmutableArray<StackFrame> Frames(string stack) =>
    [
        .. stack.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(f => f.Split('@')).Select(f => new StackFrame(f[0], f.ElementAtOrDefault(1))),
    ];

    private static ImmutableArray<int> Numbers(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

    private static ImmutableArray<SoftirqCount> Counts(string received) =>
        [.. received.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((n, cpu) => new SoftirqCount(cpu, uint.Parse(n), uint.Parse(n)))];

    private static BlockerReport Report(double seconds, int[] tids) => new(
        new Instant(TimeSpan.FromSeconds(seconds), DateTimeOffset.UnixEpoch), Patch, Enabling: true, 10, tids.Length, 0, 0,
        [.. tids.Select(t => new Blocker(new TaskKey(t, t, 1), "task", 'S', null, false, false, 0, TimeSpan.Zero, 0, true, null, false))]);
}
