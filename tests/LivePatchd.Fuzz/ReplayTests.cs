// Seeds, findings that are not mended yet, and a few thousand fresh mutations: each parser keeps its contract.
namespace LivePatchd.Fuzz;

public sealed class ReplayTests
{
    // The same at every run: what fails here fails for whoever looks into it.
    private const int Seed = 20_260_301;

    private static readonly TimeSpan MutationTime = TimeSpan.FromMilliseconds(100);

    public static TheoryData<string> Names => [.. AllTargets.List.Select(static t => t.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Stored_inputs_keep_the_contract(string name)
    {
        var target = AllTargets.Find(name)!;
        var seeds = Corpus.Seeds(target);
        Assert.NotEmpty(seeds);
        Assert.All([.. seeds, .. Corpus.Saved(target)], input => Assert.Null(Judge.Try(target, input.Input).Problem));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_seeds_reach_more_than_one_kind_of_result(string name)
    {
        // A corpus whose seeds are all refused for one reason finds nothing behind it.
        var target = AllTargets.Find(name)!;
        Assert.True(Corpus.Seeds(target).Select(s => Judge.Try(target, s.Input).Kind).Distinct().Count() > 1);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Mutations_keep_the_contract(string name)
    {
        var target = AllTargets.Find(name)!;
        var pool = Corpus.Seeds(target).Select(static s => s.Input).ToList();
        var mutator = new Mutator(target, Seed);
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        do
        {
            var input = mutator.Mutate(pool);
            if (Judge.Try(target, input) is { Problem: { } problem })
                Assert.Fail($"{Findings.Save(target, input, problem)}: {problem}");
        }
        while (System.Diagnostics.Stopwatch.GetElapsedTime(started) < MutationTime);
    }

    [Fact]
    public void The_judge_sees_every_kind_of_breach()
    {
        static Target Of(Parse<int> parse, Check<int> check) => new Target<int>("breach", parse, check);
        static string Fine(ReadOnlySpan<byte> input, int result) => "";

        Assert.Null(Judge.Try(Of(static _ => 0, Fine), [1]).Problem);
        Assert.Contains("IndexOutOfRange", Judge.Try(Of(static input => input[9], Fine), [1]).Problem, StringComparison.Ordinal);
        Assert.Contains("MiB", Judge.Try(Of(static _ => new byte[65 << 20].Length, Fine), [1]).Problem, StringComparison.Ordinal);
        Assert.Contains("a promise", Judge.Try(Of(static _ => 0, static (_, result) => { Expect.That(result == 1, "a promise"); return ""; }), [1]).Problem, StringComparison.Ordinal);
        Assert.Contains("took", Judge.Try(Of(static _ => Burn(TimeSpan.FromSeconds(1.1)), Fine), [1]).Problem, StringComparison.Ordinal);
    }

    private static int Burn(TimeSpan time)
    {
        var end = ThreadClock.Now + time;
        while (ThreadClock.Now < end)
            Thread.SpinWait(100);
        return 0;
    }

    [Fact]
    public void One_seed_gives_one_row_of_inputs()
    {
        var target = AllTargets.Find("psi")!;
        byte[][] pool = [[1, 2, 3, 4, 5, 6, 7, 8], "some avg10=1"u8.ToArray()];
        var (a, b, c) = (new Mutator(target, 1), new Mutator(target, 1), new Mutator(target, 2));
        var differs = false;
        for (var i = 0; i < 1_000; i++)
        {
            var input = a.Mutate(pool);
            Assert.Equal(input, b.Mutate(pool));
            differs |= !input.AsSpan().SequenceEqual(c.Mutate(pool));
        }
        Assert.True(differs);
    }
}
