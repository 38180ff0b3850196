// No failpoint gets lost: the sources hold each of this list, once, and no other.
namespace LivePatchd.EndToEnd.Tests.Crash;

public sealed class FailpointTests
{
    private const int AtLeast = 40;

    [Fact]
    public void Every_failpoint_is_in_the_list_and_once_in_the_sources()
    {
        Assert.Equal(Failpoints.All.Distinct(), Failpoints.All);
        Assert.Equal(File.ReadAllLines(Core.Tests.RepositoryFile.PathOf("tests/LivePatchd.CrashHost/failpoints.txt")), Failpoints.All);
        Assert.InRange(Failpoints.All.Count, AtLeast, 1_000);
    }

    [Fact]
    public void No_source_sets_the_hooks() => Assert.DoesNotContain(
        Directory.EnumerateFiles(Core.Tests.RepositoryFile.PathOf("src"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText),
        text => text.Contains("Failpoint.Hit", StringComparison.Ordinal) || text.Contains("CallFault.Inject", StringComparison.Ordinal));
}
