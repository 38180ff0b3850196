// kill -9 at every failpoint of the real daemon, on a kernel that outlives it: nothing is lost, nothing is done twice.
using System.Diagnostics;
using System.Globalization;

namespace LivePatchd.EndToEnd.Tests.Crash;

public sealed class CrashTests
{
    private const int StepsOfAScript = 30;
    private const int KillsOfAScript = 24;

    [Fact]
    [Trait("Length", "long")]
    public async Task Killed_at_every_failpoint_nothing_is_lost_and_nothing_done_twice()
    {
        var tally = await Campaign(firstSeed: 1, kills: 60, everyPoint: true, workers: 2);
        Verify(tally);
    }

    /// <summary>`make test-crash`; LIVEPATCHD_CRASH_KILLS, LIVEPATCHD_CRASH_SEED and LIVEPATCHD_CRASH_TABLE (a file for the figures) say how.</summary>
    [Fact(Explicit = true)]
    public async Task A_thousand_kills()
    {
        var kills = Number("LIVEPATCHD_CRASH_KILLS", 1000);
        var start = Stopwatch.GetTimestamp();
        var tally = await Campaign(Number("LIVEPATCHD_CRASH_SEED", 1000), kills, everyPoint: true, workers: Math.Max(2, Environment.ProcessorCount));
        var table = tally.Table(Stopwatch.GetElapsedTime(start));
        TestContext.Current.TestOutputHelper?.WriteLine(table);
        if (Environment.GetEnvironmentVariable("LIVEPATCHD_CRASH_TABLE") is { Length: > 0 } path)
            await File.WriteAllTextAsync(path, table, TestContext.Current.CancellationToken);
        Verify(tally);
    }

    private static void Verify(CrashTally tally)
    {
        Assert.True(tally.Findings.Count == 0, $"{tally.Findings.Count} findings, the first: {tally.Findings.FirstOrDefault()}");
        Assert.Empty(tally.Unhit);
    }

    private static async Task<CrashTally> Campaign(int firstSeed, int kills, bool everyPoint, int workers)
    {
        var tally = new CrashTally(Failpoints.All);
        var seed = firstSeed - 1;
        var limit = firstSeed + (kills / 2);
        async Task Work()
        {
            while ((tally.Kills < kills || (everyPoint && tally.Unhit.Any())) && tally.Findings.Count == 0 && Interlocked.Increment(ref seed) is var mine && mine < limit)
            {
                await using var script = new CrashScript(mine, tally, KillsOfAScript);
                await script.Play(StepsOfAScript);
            }
        }
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(Work)));
        return tally;
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
