// Passes over a tree that stands for /proc, small ones for what is found and a large one for what it costs.
using System.Diagnostics;
using System.Globalization;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Tasks;

namespace LivePatchd.Linux.Tests.Tasks;

public sealed class BlockerScannerTests(ITestOutputHelper output) : IDisposable
{
    private static readonly Instant Now = new(TimeSpan.FromHours(1), DateTimeOffset.UnixEpoch);

    private readonly FakeRoot host = new();

    public void Dispose() => host.Dispose();

    [Theory]
    [InlineData(true, 11)]
    [InlineData(false, 10)]
    public void A_blocker_is_whoever_is_not_where_the_transition_goes(bool enabling, int blocking)
    {
        Task(10, 10, "1\n");
        Task(10, 11, "0\n");
        Task(12, 12, "-1\n");
        host.Write("/proc/self/task/1/patch_state", "0\n");
        var report = Scan(new BlockerScanner(host.Root), enabling);
        Assert.Equal((2, 1, 1, 0), (report.Total, report.Pending, report.Switched, report.Unreadable));
        Assert.Equal(blocking, Assert.Single(report.Blockers).Task.Tid);
    }

    [Fact]
    public void A_blocker_has_its_unit_user_and_function()
    {
        Task(10, 11, "0\n", stack: "[<0>] schedule+0x1/0x2\n[<0>] vfs_read+0x1/0x2\n");
        Assert.Equal(
            new Blocker(new TaskKey(10, 11, 4242), "task 11", 'D', "db.service", false, false, 1000, TimeSpan.Zero, 0, true, "vfs_read", false),
            Assert.Single(Scan(new BlockerScanner(host.Root)).Blockers));
    }

    [Fact]
    public void A_kernel_thread_in_its_changed_main_function_never_completes()
    {
        Task(20, 20, "0\n", kthread: true, stack: "[<0>] schedule+0x1/0x2\n[<0>] vfs_read+0x1/0x2\n[<0>] kthread+0x1/0x2\n[<0>] ret_from_fork+0x1/0x2\n");
        Assert.True(Assert.Single(Scan(new BlockerScanner(host.Root)).Blockers).NeverCompletes);
    }

    [Fact]
    public void Without_a_stack_nothing_is_said_about_functions()
    {
        Task(20, 20, "0\n", kthread: true);
        var blocker = Assert.Single(Scan(new BlockerScanner(host.Root)).Blockers);
        Assert.Equal((false, null, false), (blocker.StackReadable, blocker.PatchedFunction, blocker.NeverCompletes));
    }

    [Fact]
    public void A_task_that_goes_in_mid_pass_is_not_an_error()
    {
        host.MakeDirectory("/proc/30/task/30");
        host.MakeDirectory("/proc/31");
        host.Write("/proc/32/task/32/patch_state", "0\n");
        var report = Scan(new BlockerScanner(host.Root));
        Assert.Equal((1, 1, 0), (report.Total, report.Pending, report.Unreadable));
        Assert.Empty(report.Blockers);
    }

    [Fact]
    public void Details_are_read_of_a_bounded_number_the_longest_blocked_first()
    {
        for (var pid = 100; pid < 200; pid++)
            Task(pid, pid, "0\n");
        var report = new BlockerScanner(host.Root).Scan(Patch(true), [new TaskKey(199, 199, 4242)], Now).Value!;
        Assert.Equal((100, BlockerReport.MaxBlockers), (report.Pending, report.Blockers.Length));
        Assert.Equal(199, report.Blockers[0].Task.Tid);
    }

    [Fact]
    public void Without_proc_there_is_an_error()
    {
        var result = new BlockerScanner(host.Root).Scan(Patch(true), [], Now);
        Assert.Equal(Errno.ENOENT, result.Errno);
    }

    [Fact]
    public void The_machines_own_tasks_can_be_walked() =>
        Assert.True(new BlockerScanner(SystemRoot.Host).Scan(Patch(true), [], Now).IsOk);

    [Fact]
    public void Every_task_counts_for_its_unit_listed_or_not()
    {
        for (var tid = 1000; tid < 2000; tid++)
            Task(1000, tid, tid % 2 == 0 ? "0\n" : "1\n");
        for (var pid = 3000; pid < 3100; pid++)
            Task(pid, pid, "0\n", group: "/system.slice/web.service");
        for (var pid = 4000; pid < 4003; pid++)
            Task(pid, pid, "0\n", kthread: true);
        Task(5000, 5000, "0\n", group: "/");
        var report = Scan(new BlockerScanner(host.Root));
        Assert.Equal(
            [("db.service", 500), ("web.service", 100), (BlockerReport.KernelThreads, 3), (BlockerReport.NoUnit, 1)],
            report.ByUnit().Select(u => (u.Name, u.Tasks)).OrderByDescending(u => u.Tasks));
        Assert.Equal(report.Pending, report.ByUnit().Sum(u => u.Tasks));
    }

    [Fact]
    public void Beyond_a_bounded_number_of_units_their_tasks_are_others()
    {
        for (var pid = 1000; pid < 1300; pid++)
            Task(pid, pid, "0\n", group: $"/system.slice/u{pid}.service");
        var scanner = new BlockerScanner(host.Root);
        foreach (var _ in Enumerable.Range(0, 2))
        {
            var units = Scan(scanner).ByUnit();
            Assert.Equal(300, units.Sum(u => u.Tasks));
            Assert.Equal(BlockerReport.Others, units[^1].Name);
            Assert.InRange(units.Length, BlockerReport.MaxUnits, BlockerReport.MaxUnits + BlockerReport.MaxBlockers + 1);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Length", "long")]
    public void A_hundred_thousand_threads_cost_little_more_than_reading_their_files_and_no_memory_each(bool switched)
    {
        using var large = new LargeProc(switched);
        using var small = new LargeProc(switched, processes: 64, threads: 1);
        var (scanner, few) = (new BlockerScanner(large.Root), new BlockerScanner(small.Root));
        // In the second pass the control groups are known, and the lists of the report are all there is to allocate.
        Scan(scanner);
        Scan(few);
        var fewBytes = Allocated(() => Scan(few));
        var files = large.PatchStates();
        var reading = OnCpu(() => Array.ForEach(files, f => File.ReadAllBytes(f)));
        BlockerReport? report = null;
        var bytes = 0L;
        var begin = Stopwatch.GetTimestamp();
        var used = OnCpu(() => bytes = Allocated(() => report = Scan(scanner)));
        var took = Stopwatch.GetElapsedTime(begin);
        output.WriteLine($"100,000 threads: {took.TotalMilliseconds:F0} ms, {used / reading:F2} times the work of reading their files; {bytes} bytes allocated; 64 threads: {fewBytes} bytes");
        Assert.Equal((LargeProc.Tasks, switched ? 0 : LargeProc.Tasks), (report!.Total, report.Pending));
        Assert.Equal(report.Pending, report.ByUnit().Sum(u => u.Tasks));
        Assert.InRange(bytes, 0, fewBytes + 8192);
        // The mark is one second on a machine that does nothing else: `make bench` prints it. Here it is a ratio, whatever else the machine does.
        Assert.InRange(used / reading, 0.01, 2);
    }

    /// <summary>What the thread got of the processors, by the first figure of its schedstat, in nanoseconds.</summary>
    private static TimeSpan OnCpu(Action action)
    {
        static long Nanoseconds() => long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture);
        var before = Nanoseconds();
        action();
        return TimeSpan.FromTicks((Nanoseconds() - before) / 100);
    }

    private static long Allocated(Action action)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static BlockerReport Scan(BlockerScanner scanner, bool enabling = true)
    {
        var result = scanner.Scan(Patch(enabling), [], Now);
        Assert.True(result.IsOk, result.ToString());
        return result.Value;
    }

    private static LoadedPatch Patch(bool enabling) => new(
        PatchName.Parse("fix"), Directory: true, enabling, Transition: true, null, null, ModulePresent: true, 1, Livepatch: true, null,
        [new LivepatchObject("vmlinux", true, ["vfs_read"])]);

    private void Task(int pid, int tid, string state, bool kthread = false, string? stack = null, string? group = null)
    {
        var path = $"/proc/{pid}/task/{tid}/";
        host.Write(path + "patch_state", state);
        host.Write(path + "stat", $"{tid} (task {tid}) D 1 1 1 0 -1 {(kthread ? 69238880 : 4194560)} 0 0 0 0 0 0 0 0 20 0 1 0 4242 0\n");
        host.Write(path + "status", "Name:\ttask\nUid:\t1000\t1000\t1000\t1000\n");
        host.Write(path + "cgroup", $"0::{group ?? (kthread ? "/" : "/system.slice/db.service")}\n");
        if (stack is not null)
            host.Write(path + "stack", stack);
    }
}
