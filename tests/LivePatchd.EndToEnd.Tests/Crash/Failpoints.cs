// The names of all failpoints, read from the sources, and the number below which none may have got lost.
using System.Text.RegularExpressions;
using LivePatchd.Core.Tests;

namespace LivePatchd.EndToEnd.Tests.Crash;

internal static partial class Failpoints
{
    public static IReadOnlyList<string> All { get; } =
    [
        .. Directory.EnumerateFiles(RepositoryFile.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(f => Point().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Order(StringComparer.Ordinal),
    ];

    [GeneratedRegex("Failpoint\\.At\\(\"([^\"]+)\"\\)")]
    private static partial Regex Point();
}
