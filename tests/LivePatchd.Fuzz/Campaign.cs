// Fuzzes one target for a while: mutates, judges, keeps inputs whose kind of result is new, saves findings, prints one line of figures.
using System.Diagnostics;
using System.Globalization;

namespace LivePatchd.Fuzz;

internal static class Campaign
{
    // Less than the smallest stack that a thread of the daemon has: recursion that follows the input shows here first.
    private const int StackSize = 512 << 10;

    private const int MaxPool = 4_000;
    private const int MaxFindings = 20;

    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    /// <returns>0, or 1 with findings.</returns>
    public static int Run(Target target, TimeSpan time, int? wantedSeed)
    {
        var seed = wantedSeed ?? Random.Shared.Next();
        var findings = 0;
        var thread = new Thread(() => findings = Loop(target, time, seed), StackSize);
        thread.Start();
        thread.Join();
        return findings == 0 ? 0 : 1;
    }

    private static int Loop(Target target, TimeSpan time, int seed)
    {
        using var running = new RunningInput(target);
        // Disposed of before the input: a process that hangs ends with the input still on disk.
        using var watchdog = new Timer(_ => Environment.FailFast($"{target.Name}: an input has been at work for {Hang.TotalSeconds} s"));
        var pool = new List<byte[]>();
        var kinds = new HashSet<string>(StringComparer.Ordinal);
        var problems = new HashSet<string>(StringComparer.Ordinal);
        var (slowest, largest) = (TimeSpan.Zero, 0L);

        void Judged(byte[] input, string from, bool always)
        {
            running.Set(input);
            watchdog.Change(Hang, Timeout.InfiniteTimeSpan);
            var verdict = Judge.Try(target, input);
            if (verdict.Cost.Time > slowest)
                slowest = verdict.Cost.Time;
            largest = Math.Max(largest, verdict.Cost.Bytes);
            if (verdict.Problem is { } problem)
            {
                if (problems.Count < MaxFindings && problems.Add(Fault(problem)))
                    Console.WriteLine($"  {Findings.Save(target, input, $"{from}\n{problem}")}: {problem}");
            }
            else if (always || (kinds.Add(verdict.Kind) && pool.Count < MaxPool))
            {
                pool.Add(input);
                kinds.Add(verdict.Kind);
            }
        }

        foreach (var (name, input) in Corpus.Seeds(target))
            Judged(input.Length > target.MaxLength ? input[..target.MaxLength] : input, $"corpus: {name}", always: true);
        if (pool.Count == 0)
            pool.Add([]);
        // What compilation took is not the input's.
        slowest = TimeSpan.Zero;

        var mutator = new Mutator(target, seed);
        var started = Stopwatch.GetTimestamp();
        long executions = 0;
        for (; Stopwatch.GetElapsedTime(started) < time; executions++)
            Judged(mutator.Mutate(pool), $"seed {seed}, execution {executions}", always: false);
        var rate = executions / Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{target.Name,-20} {executions,10} {rate,7:0} {kinds.Count,6} {problems.Count,9} {slowest.TotalMilliseconds,11:0.0} {largest / 1024.0,12:0}"));
        return problems.Count;
    }

    // One fault shows with many figures, and inlined or not.
    private static string Fault(string problem)
    {
        var place = problem.IndexOf(" at LivePatchd.Fuzz.", StringComparison.Ordinal);
        return string.Concat((place < 0 ? problem : problem[..place]).Where(static c => !char.IsAsciiHexDigit(c)));
    }
}
