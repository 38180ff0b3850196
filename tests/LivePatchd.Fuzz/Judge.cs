// Runs a parser on one input and says whether it kept the contract: no exception, one second, 64 MiB, a sound result.
namespace LivePatchd.Fuzz;

/// <param name="Problem">Null when the contract was kept.</param>
internal readonly record struct Verdict(string Kind, Cost Cost, string? Problem);

internal static class Judge
{
    // A garbage collection or a compilation falls on anything once; a slow input is slow each time.
    private const int Attempts = 3;

    public static Verdict Try(Target target, ReadOnlySpan<byte> input)
    {
        var verdict = Once(target, input);
        for (var attempt = 1; attempt < Attempts && verdict is { Problem: null } && verdict.Cost.Time > Target.MaxTime; attempt++)
        {
            var again = Once(target, input);
            if (again.Problem is not null || again.Cost.Time < verdict.Cost.Time)
                verdict = again;
        }
        if (verdict.Problem is not null)
            return verdict;
        return verdict.Cost.Time > Target.MaxTime ? verdict with { Problem = $"took {verdict.Cost.Time.TotalSeconds:0.0} s" }
            : verdict.Cost.Bytes > Target.MaxBytes ? verdict with { Problem = $"allocated {verdict.Cost.Bytes >> 20} MiB" }
            : verdict;
    }

    private static Verdict Once(Target target, ReadOnlySpan<byte> input)
    {
        try
        {
            var kind = target.Run(input, out var cost);
            return new Verdict(kind, cost, null);
        }
        catch (Exception e)
        {
            // The place where it was thrown tells one fault from another.
            var place = e.StackTrace?.Split('\n').FirstOrDefault(static l => l.Contains("LivePatchd.", StringComparison.Ordinal))?.Trim();
            return new Verdict("", default, $"{e.GetType().Name}: {e.Message.Split('\n')[0]} {place}");
        }
    }
}
