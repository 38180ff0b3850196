// One pass over /proc/*/task/*/patch_state: how many tasks have switched, and who has not.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Tasks;

/// <summary>
/// Buffers are kept from pass to pass: not for two threads at once. Tasks come and go meanwhile: one that vanished does not count. The
/// transition may end meanwhile as well: whoever acts on a report looks at `transition` afterwards.
/// </summary>
public sealed class BlockerScanner(SystemRoot root)
{
    /// <summary>Tasks remembered per pass as not switched, to be listed; those beyond are counted, by unit too.</summary>
    private const int MaxPending = 4096;

    private const int MaxStack = 16 << 10;
    private const int MaxStat = 1024;

    private readonly DirectoryWalk processes = new();
    private readonly DirectoryWalk threads = new();
    private readonly (int Pid, int Tid)[] pending = new (int, int)[MaxPending];
    private readonly byte[] text = new byte[MaxStack];
    private readonly UnitTally units = new();

    /// <param name="oldest">Tasks whose details are read first: those that block longest, as far as is known.</param>
    public SysResult<BlockerReport> Scan(LoadedPatch patch, ImmutableArray<TaskKey> oldest, Instant now)
    {
        var opened = Sys.Open(root.Path("/proc"), LibC.ReadOnly | LibC.Directory);
        if (!opened.IsOk)
            return SysResult.Fail<BlockerReport>(opened.Errno, "open /proc");
        using var proc = opened.Value;
        var fd = (int)proc.DangerousGetHandle();
        var counts = Walk(fd, patch.Enabled ? 1 : 0);
        var functions = patch.Objects.SelectMany(o => o.Functions).Select(f => LivepatchObject.NameOf(f).ToString()).ToHashSet(StringComparer.Ordinal);
        var blockers = ImmutableArray.CreateBuilder<Blocker>();
        using var questions = new TaskQuestions(root);
        foreach (var (pid, tid) in Ordered(pending.AsSpan(0, Math.Min(counts.Pending, MaxPending)), oldest))
        {
            if (blockers.Count == BlockerReport.MaxBlockers)
                break;
            if (Details(fd, pid, tid, patch.Name, functions, questions) is { } blocker)
                blockers.Add(blocker);
        }
        GC.KeepAlive(proc);
        return SysResult.Ok(new BlockerReport(
            now, patch.Name, patch.Enabled, counts.Total, counts.Pending, counts.Own, counts.Unreadable, blockers.ToImmutable())
        {
            Counted = units.Result(),
        });
    }

    private Counts Walk(int proc, int target)
    {
        var counts = default(Counts);
        units.Start();
        processes.Start(proc);
        while (processes.Next(out var pid))
        {
            var tasks = TaskFiles.Open(proc, pid, "/task"u8, LibC.ReadOnly | LibC.Directory);
            if (tasks < 0)
                continue;
            var (first, before) = (0, counts.Pending);
            threads.Start(tasks);
            while (threads.Next(out var tid))
            {
                var state = TaskFiles.PatchState(tasks, tid, out var error);
                if (state is null)
                {
                    counts.Unreadable += Vanished(error) ? 0 : 1;
                    continue;
                }
                // -1: forked after the end, or not part of any transition.
                if (state < 0)
                    continue;
                counts.Total++;
                if (state == target)
                    continue;
                if (first == 0)
                    first = tid;
                if (counts.Pending < MaxPending)
                    pending[counts.Pending] = (pid, tid);
                counts.Pending++;
                counts.Own += pid == Environment.ProcessId && root.IsReal ? 1 : 0;
            }
            if (first != 0)
                units.Add(UnitOf(tasks, first), counts.Pending - before);
            _ = LibC.close(tasks);
        }
        return counts;
    }

    // Once for a process: its threads may be in groups of their own, but those lie below one unit.
    private string UnitOf(int tasks, int tid)
    {
        var read = TaskFiles.Read(tasks, tid, "/cgroup"u8, text);
        if (read > 0 && units.Owner(text.AsSpan(0, read)) is { } owner)
            return owner;
        read = TaskFiles.Read(tasks, tid, "/stat"u8, text);
        return read > 0 && TaskStatParser.IsKthread(text.AsSpan(0, read)) ? BlockerReport.KernelThreads : BlockerReport.NoUnit;
    }

    private static IEnumerable<(int Pid, int Tid)> Ordered(ReadOnlySpan<(int Pid, int Tid)> found, ImmutableArray<TaskKey> oldest)
    {
        var known = oldest.Select(t => (t.Pid, t.Tid)).ToHashSet();
        var first = new List<(int, int)>();
        var rest = new List<(int, int)>();
        foreach (var task in found)
        {
            if (known.Contains(task))
                first.Add(task);
            else if (rest.Count < BlockerReport.MaxBlockers)
                rest.Add(task);
        }
        return first.Concat(rest);
    }

    // Null when the task is gone.
    private Blocker? Details(int proc, int pid, int tid, PatchName patch, HashSet<string> functions, TaskQuestions questions)
    {
        var tasks = TaskFiles.Open(proc, pid, "/task"u8, LibC.ReadOnly | LibC.Directory);
        if (tasks < 0)
            return null;
        try
        {
            var read = TaskFiles.Read(tasks, tid, "/stat"u8, text);
            if (read <= 0 || TaskStatParser.Parse(text.AsSpan(0, read)) is not { } stat)
                return null;
            read = TaskFiles.Read(tasks, tid, "/status"u8, text);
            var uid = read > 0 ? TaskStatParser.Uid(text.AsSpan(0, read)) : null;
            read = TaskFiles.Read(tasks, tid, "/cgroup"u8, text);
            var owner = read > 0 ? units.Owner(text.AsSpan(0, read)) : null;
            read = StackOf(tasks, tid, stat, questions);
            var stack = read > 0 ? KernelStackParser.Parse(text.AsSpan(0, read)) : [];
            return new Blocker(
                new TaskKey(pid, tid, stat.StartTicks), stat.Comm, stat.State, owner, stat.Kthread,
                root.IsReal && pid == Environment.ProcessId, uid, TimeSpan.Zero, 0, StackReadable: read >= 0,
                NeverCompletes.ChangedFunction(stack, patch, functions),
                stat.Kthread && NeverCompletes.IsMainFunction(stack, patch, functions));
        }
        finally
        {
            _ = LibC.close(tasks);
        }
    }

    // The kernel refuses it to a daemon without the capabilities, before it waits for anything; the helper has them.
    private int StackOf(int tasks, int tid, TaskStat stat, TaskQuestions questions)
    {
        var read = TaskFiles.Read(tasks, tid, "/stack"u8, text);
        if (-read is not ((int)Errno.EACCES or (int)Errno.EPERM))
            return read;
        var (asked, length) = (questions.Stack(tid, text), 0);
        Span<byte> line = stackalloc byte[MaxStat];
        // The helper knows the number only: meanwhile it may have become another task's.
        return asked >= 0 && ((length = TaskFiles.Read(tasks, tid, "/stat"u8, line)) <= 0 || TaskStatParser.Parse(line[..length])?.StartTicks != stat.StartTicks)
            ? -(int)Errno.ESRCH
            : asked;
    }

    // ESRCH: the task died between open and read. 0: an empty attribute, or a kernel without livepatch under a tree of files.
    private static bool Vanished(int error) => -error is (int)Errno.ENOENT or (int)Errno.ESRCH or 0;

    private struct Counts
    {
        public int Total;
        public int Pending;
        public int Own;
        public int Unreadable;
    }
}
