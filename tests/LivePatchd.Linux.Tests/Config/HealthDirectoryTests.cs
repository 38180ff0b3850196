// The operator's health checks: names only, bounded, and from a directory that is root's alone.
using LivePatchd.Linux.Config;

namespace LivePatchd.Linux.Tests.Config;

public sealed class HealthDirectoryTests
{
    private const string Required = HealthDirectory.Path + "/required.d";
    private const string Wanted = HealthDirectory.Path + "/wanted.d";

    [Fact]
    public void Without_the_directories_there_are_no_checks()
    {
        using var root = new TempRoot();
        var checks = HealthDirectory.Read(root.Root);
        Assert.Empty(checks.Required);
        Assert.Empty(checks.Wanted);
        Assert.Empty(checks.Problems);
    }

    [Fact]
    public void Names_count_and_what_is_in_them_does_not()
    {
        using var root = new TempRoot()
            .Write($"{Required}/b.service", "anything")
            .Write($"{Required}/.hidden", "")
            .Write($"{Required}/readme.txt", "")
            .Write($"{Wanted}/b.service", "")
            .Write($"{Wanted}/c@1.service", "");
        File.CreateSymbolicLink(root.Root.Path($"{Required}/a.service"), "/nowhere/at/all.service");
        var checks = HealthDirectory.Read(root.Root);
        Assert.Equal(["a.service", "b.service"], checks.Required);
        Assert.Equal(["c@1.service"], checks.Wanted);
        Assert.Equal($"{Required}/readme.txt: not the name of a service", Assert.Single(checks.Problems));
    }

    [Fact]
    public void A_directory_that_others_may_change_is_left_out_whole()
    {
        using var root = new TempRoot().Write($"{Required}/a.service", "").Write($"{Wanted}/b.service", "");
        File.SetUnixFileMode(root.Root.Path(Required), (UnixFileMode)0b111_111_111);
        var checks = HealthDirectory.Read(root.Root);
        Assert.Empty(checks.Required);
        Assert.Equal(["b.service"], checks.Wanted);
        Assert.Contains("mode 0777", Assert.Single(checks.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void More_entries_than_the_limit_are_none()
    {
        using var root = new TempRoot();
        for (var i = 0; i <= HealthDirectory.MaxEntries; i++)
            root.Write($"{Required}/check{i}.service", "");
        var checks = HealthDirectory.Read(root.Root);
        Assert.Empty(checks.Required);
        Assert.Contains("more than 64 entries", Assert.Single(checks.Problems), StringComparison.Ordinal);
    }
}
