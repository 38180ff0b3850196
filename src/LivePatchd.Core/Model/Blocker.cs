// Who keeps a transition from completing, as seen in one pass over the tasks of the host.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

/// <summary>A thread. The start time tells it from a later one of the same number.</summary>
/// <param name="StartTicks">Field 22 of /proc/PID/stat.</param>
public readonly record struct TaskKey(int Pid, int Tid, ulong StartTicks);

/// <summary>A frame of a kernel stack; <paramref name="Module"/> is null for the kernel itself.</summary>
public readonly record struct StackFrame(string Symbol, string? Module);

/// <param name="State">The letter of /proc/PID/stat: R, S, D, …</param>
/// <param name="Owner">Systemd unit, or "runtime:container"; null when the task is in the root cgroup or gone.</param>
/// <param name="Uid">Real user; null when the task went before it was read.</param>
/// <param name="Own">A thread of the daemon itself: shown, never alarmed about.</param>
/// <param name="BlockedFor">Since a look first found it not switched: it may have been so for longer.</param>
/// <param name="AttemptsBlocked">Looks that found it not switched, at most one per attempt of the kernel (one a second).</param>
/// <param name="StackReadable">False: the kernel did not show the stack, so nothing is known about functions.</param>
/// <param name="PatchedFunction">The innermost function on its stack that the transition changes; null when there is none, or no stack.</param>
/// <param name="NeverCompletes">A kernel thread whose own main function is changed: it stays on the stack for as long as the thread lives.</param>
public sealed record Blocker(
    TaskKey Task,
    string Comm,
    char State,
    string? Owner,
    bool Kthread,
    bool Own,
    uint? Uid,
    TimeSpan BlockedFor,
    int AttemptsBlocked,
    bool StackReadable,
    string? PatchedFunction,
    bool NeverCompletes)
{
    /// <summary>Without what /proc may keep from other users (hidepid): whose task it is, and which. Kernel threads and our own are no secret.</summary>
    public Blocker ForEverybody => Kthread || Own ? this : this with { Task = default, Comm = "", Uid = null };
}

/// <summary>Who has not switched of one unit or container; kernel threads are together under their own name.</summary>
/// <param name="LongestBlocked">Of its tasks that are listed; null when none is.</param>
public sealed record BlockingUnit(string Name, int Tasks, TimeSpan? LongestBlocked);

/// <param name="Enabling">Direction of the transition: the state that tasks have to reach.</param>
/// <param name="Total">Tasks that take part in the transition.</param>
/// <param name="Pending">Those that have not switched, the daemon's own among them.</param>
/// <param name="OwnPending">The daemon's own among them.</param>
/// <param name="Unreadable">Tasks whose state could not be read although they exist: they may block unseen.</param>
/// <param name="Blockers">At most <see cref="MaxBlockers"/>, longest blocked first.</param>
public sealed record BlockerReport(
    Instant At, PatchName Patch, bool Enabling, int Total, int Pending, int OwnPending, int Unreadable, ImmutableArray<Blocker> Blockers)
{
    public const int MaxBlockers = 64;

    /// <summary>Units counted by name; tasks of any further unit are <see cref="Others"/>.</summary>
    public const int MaxUnits = 256;

    public const string KernelThreads = "kernel threads";

    public const string NoUnit = "no unit";

    public const string Others = "others";

    /// <summary>All pending tasks by unit, listed or not.</summary>
    public ImmutableArray<BlockingUnit> Counted { get; init; } = [];

    public int Switched => Total - Pending;

    /// <summary>What alarms count: the daemon's own threads switch by themselves once it looks away.</summary>
    public int Stalled => Pending - OwnPending;

    /// <summary>Longest blocked first, then the largest; the others last.</summary>
    public ImmutableArray<BlockingUnit> ByUnit()
    {
        var listed = Blockers
            .GroupBy(b => b.Kthread ? KernelThreads : b.Owner ?? NoUnit, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => new BlockingUnit(g.Key, g.Count(), g.Max(b => b.BlockedFor)), StringComparer.Ordinal);
        var units = Counted
            .Select(u => listed.Remove(u.Name, out var seen) ? seen with { Tasks = Math.Max(u.Tasks, seen.Tasks) } : u)
            .ToList();
        // Listed, but counted among the others, or moved to another unit since.
        var apart = listed.Values.Sum(u => u.Tasks);
        return
        [
            .. units.Select(u => u.Name == Others ? u with { Tasks = u.Tasks - apart } : u).Where(u => u.Tasks > 0)
                .Concat(listed.Values)
                .OrderBy(u => u.Name == Others)
                .ThenByDescending(u => u.LongestBlocked ?? TimeSpan.MinValue)
                .ThenByDescending(u => u.Tasks)
                .ThenBy(u => u.Name, StringComparer.Ordinal),
        ];
    }
}
