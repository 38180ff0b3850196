// Where seeds and findings lie: corpus/TARGET is part of the project, findings/TARGET is what a campaign has left to be mended.
using LivePatchd.Core.Tests;

namespace LivePatchd.Fuzz;

internal static class Corpus
{
    private const string Project = "tests/LivePatchd.Fuzz";

    public static string FindingsOf(Target target) => RepositoryFile.PathOf($"{Project}/findings/{target.Name}");

    public static string RunningOf(Target target) => RepositoryFile.PathOf($"out/fuzz/{target.Name}.running");

    /// <summary>Stored seeds, then those made.</summary>
    public static List<(string Name, byte[] Input)> Seeds(Target target)
    {
        var seeds = Files(RepositoryFile.PathOf($"{Project}/corpus/{target.Name}"), "*");
        seeds.AddRange(target.Made.Select(static (input, i) => ($"made {i}", input)));
        return seeds;
    }

    public static List<(string Name, byte[] Input)> Saved(Target target) => Files(FindingsOf(target), "*.input");

    private static List<(string Name, byte[] Input)> Files(string directory, string pattern) => !Directory.Exists(directory)
        ? []
        : [.. Directory.EnumerateFiles(directory, pattern).Order(StringComparer.Ordinal).Select(static f => (Path.GetFileName(f), File.ReadAllBytes(f)))];
}
