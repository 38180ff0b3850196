// The entry: `fuzz TARGET [--seconds N] [--seed N]`, `try TARGET FILE` and `targets` for the fuzzer, everything else for the test runner.
using System.Globalization;

namespace LivePatchd.Fuzz;

internal static class Program
{
    private const int Usage = 2;

    private static int Main(string[] arguments) => arguments switch
    {
        ["targets"] => List(),
        ["salvage", var name] when AllTargets.Find(name) is { } target => Salvage(target),
        ["fuzz", var name, ..] when AllTargets.Find(name) is { } target =>
            Campaign.Run(target, TimeSpan.FromSeconds(Number(arguments, "--seconds") ?? 60), Number(arguments, "--seed")),
        ["try", var name, var file] when AllTargets.Find(name) is { } target => Try(target, file),
        ["fuzz" or "salvage" or "try", ..] => Refuse(),
        _ => Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(arguments).GetAwaiter().GetResult(),
    };

    private static int List()
    {
        foreach (var target in AllTargets.List)
            Console.WriteLine(target.Name);
        return 0;
    }

    private static int Try(Target target, string file)
    {
        var verdict = Judge.Try(target, File.ReadAllBytes(file));
        Console.WriteLine($"{verdict.Cost.Time.TotalMilliseconds:0.0} ms, {verdict.Cost.Bytes >> 10} KiB: {verdict.Problem ?? verdict.Kind}");
        return verdict.Problem is null ? 0 : 1;
    }

    private static int Salvage(Target target)
    {
        if (RunningInput.Read(target) is { } input)
            Console.WriteLine($"  {Findings.Save(target, input, "the process died of this input")}");
        return 0;
    }

    private static int Refuse()
    {
        Console.Error.WriteLine($"usage: fuzz TARGET [--seconds N] [--seed N], or try TARGET FILE; targets: {string.Join(' ', AllTargets.List.Select(t => t.Name))}");
        return Usage;
    }

    private static int? Number(string[] arguments, string option) =>
        Array.IndexOf(arguments, option) is >= 0 and var at && at + 1 < arguments.Length
            ? int.Parse(arguments[at + 1], CultureInfo.InvariantCulture)
            : null;
}
