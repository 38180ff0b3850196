// What a campaign counts: kills by failpoint, and every finding in its class.
using System.Collections.Concurrent;
using System.Text;

namespace LivePatchd.EndToEnd.Tests.Crash;

internal enum Finding
{
    LostOperation,
    DoubleLoad,
    OrphanFile,
    ModelDiffers,
    UnexpectedUnload,
    ForeignTouched,
}

internal sealed class CrashTally(IReadOnlyList<string> failpoints)
{
    private readonly ConcurrentDictionary<string, int> kills = new(failpoints.Select(f => KeyValuePair.Create(f, 0)));
    private readonly ConcurrentQueue<(Finding Kind, string Text)> findings = [];
    private int accepted;
    private int runs;
    private int loads;

    public int Kills => kills.Values.Sum();

    public IReadOnlyDictionary<string, int> ByFailpoint => kills;

    public IEnumerable<string> Unhit => kills.Where(k => k.Value == 0).Select(k => k.Key).Order();

    public IReadOnlyCollection<(Finding Kind, string Text)> Findings => findings;

    public void Killed(string failpoint) => kills.AddOrUpdate(failpoint, 1, (_, n) => n + 1);

    public void Accepted() => Interlocked.Increment(ref accepted);

    public void Ran(int newLoads)
    {
        var count = Interlocked.Increment(ref runs);
        TestContext.Current.SendDiagnosticMessage("{0} runs, {1} kills, not hit: {2}", count, Kills, string.Join(' ', Unhit));
        Interlocked.Add(ref loads, newLoads);
    }

    public void Found(Finding kind, string text) => findings.Enqueue((kind, text));

    /// <summary>The points with the fewest kills, in an order of chance among equals, and a few of the others.</summary>
    public Dictionary<string, int> Choose(Random random, int rare, int any)
    {
        var order = kills.OrderBy(k => k.Value).ThenBy(_ => random.Next()).Select(k => k.Key).ToList();
        var names = order.Take(rare).Concat(Enumerable.Range(0, any).Select(_ => order[random.Next(order.Count)])).Distinct();
        return names.ToDictionary(n => n, _ => random.Next(10) switch { < 6 => 1, < 9 => 2, _ => random.Next(3, 9) });
    }

    public int Count(Finding kind) => findings.Count(f => f.Kind == kind);

    public string Table(TimeSpan took)
    {
        var text = new StringBuilder();
        text.AppendLine("| kill -9 at every failpoint | |").AppendLine("|---|---|");
        text.AppendLine($"| kills | {Kills} |").AppendLine($"| failpoints, each killed at least {kills.Values.Min()} times | {kills.Count} |");
        text.AppendLine($"| random scripts | {runs} |").AppendLine($"| operations answered with success | {accepted} |").AppendLine($"| loads by the daemon | {loads} |");
        text.AppendLine($"| accepted operations lost | {Count(Finding.LostOperation)} |");
        text.AppendLine($"| double loads | {Count(Finding.DoubleLoad)} |");
        text.AppendLine($"| orphan files after the next start | {Count(Finding.OrphanFile)} |");
        text.AppendLine($"| ends at which kernel and model differed | {Count(Finding.ModelDiffers)} |");
        text.AppendLine($"| unexpected unloads | {Count(Finding.UnexpectedUnload)} |");
        text.AppendLine($"| foreign patches touched | {Count(Finding.ForeignTouched)} |");
        text.AppendLine($"| time, minutes | {took.TotalMinutes:F1} |").AppendLine();
        text.AppendLine("| failpoint | kills |").AppendLine("|---|---|");
        foreach (var (name, count) in kills.OrderBy(k => k.Key, StringComparer.Ordinal))
            text.AppendLine($"| {name} | {count} |");
        return text.ToString();
    }
}
