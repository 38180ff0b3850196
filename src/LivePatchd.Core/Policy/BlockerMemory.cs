// Remembers, over the looks at one transition, since when each task has been blocking and how often it was found so.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy;

/// <summary>A value: each look gives the next one. Bounded by what a report may hold, as only tasks of the last report are remembered.</summary>
public sealed record BlockerMemory
{
    // The kernel tries once a second: looking more often is not more attempts.
    private static readonly TimeSpan KernelAttempt = TimeSpan.FromSeconds(1);

    private readonly PatchName patch;
    private readonly bool enabling;
    private readonly ImmutableDictionary<TaskKey, Seen> seen = ImmutableDictionary<TaskKey, Seen>.Empty;

    private BlockerMemory()
    {
    }

    private BlockerMemory(PatchName patch, bool enabling, ImmutableDictionary<TaskKey, Seen> seen)
    {
        this.patch = patch;
        this.enabling = enabling;
        this.seen = seen;
    }

    public static BlockerMemory Empty { get; } = new();

    /// <summary>Longest blocked first: whose details the next look reads first.</summary>
    public ImmutableArray<TaskKey> Oldest => [.. seen.OrderBy(s => s.Value.First).ThenBy(s => s.Key.Tid).Select(s => s.Key)];

    /// <summary>The report with its tasks' times and attempts, longest blocked first. A reversed transition, or another patch's, starts anew.</summary>
    public (BlockerMemory Next, BlockerReport Report) Add(BlockerReport report)
    {
        var known = report.Patch == patch && report.Enabling == enabling ? seen : ImmutableDictionary<TaskKey, Seen>.Empty;
        var now = report.At.Monotonic;
        var next = ImmutableDictionary.CreateBuilder<TaskKey, Seen>();
        var blockers = ImmutableArray.CreateBuilder<Blocker>(report.Blockers.Length);
        foreach (var blocker in report.Blockers)
        {
            var was = known.TryGetValue(blocker.Task, out var old) ? old : new Seen(now, now - KernelAttempt, 0);
            var looked = now - was.Counted >= KernelAttempt ? was with { Counted = now, Attempts = was.Attempts + 1 } : was;
            next[blocker.Task] = looked;
            blockers.Add(blocker with { BlockedFor = now - looked.First, AttemptsBlocked = looked.Attempts });
        }
        blockers.Sort(static (a, b) => (b.BlockedFor, a.Task.Tid).CompareTo((a.BlockedFor, b.Task.Tid)));
        return (new BlockerMemory(report.Patch, report.Enabling, next.ToImmutable()), report with { Blockers = blockers.ToImmutable() });
    }

    /// <param name="Counted">When the last attempt was counted.</param>
    private readonly record struct Seen(TimeSpan First, TimeSpan Counted, int Attempts);
}
