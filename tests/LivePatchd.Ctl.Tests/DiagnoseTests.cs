// `diagnose`: the bundle on standard output as it is, or in a new file for its owner alone.
namespace LivePatchd.Ctl.Tests;

public sealed class DiagnoseTests : CtlTest, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lp-diagnose-").FullName;

    [Theory]
    [InlineData]
    [InlineData("--json")]
    public void The_bundle_is_passed_on_as_it_is(params string[] options)
    {
        Serve().Bundle = "{\n  \"schema\": 1,\n  \"text\": \"" + new string('x', 100_000) + "\"\n}";
        Assert.Equal("{\n  \"schema\": 1,\n  \"text\": \"" + new string('x', 100_000) + "\"\n}\n", Run(["diagnose", .. options]).Succeeded().Output);
    }

    [Fact]
    public void A_file_is_for_its_owner_alone_and_never_written_over()
    {
        Serve();
        var path = Path.Combine(_directory, "bundle.json");
        Assert.Contains("bundle.json: written", Run("diagnose", "--output", path).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal("{\"schema\":1}\n", File.ReadAllText(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));

        File.WriteAllText(path, "mine");
        Run("diagnose", "-o", path).Failed(1, "the file exists");
        Assert.Equal("mine", File.ReadAllText(path));
    }

    [Fact]
    public void A_link_is_not_followed()
    {
        Serve();
        var (link, target) = (Path.Combine(_directory, "link"), Path.Combine(_directory, "target"));
        File.CreateSymbolicLink(link, target);
        Run("diagnose", "-o", link).Failed(1, "diagnose --output");
        Assert.False(File.Exists(target));
    }

    [Fact]
    public void Where_nothing_can_be_written_it_says_so()
    {
        Serve();
        Run("diagnose", "--output", Path.Combine(_directory, "none", "bundle.json")).Failed(1, "no such directory");
        Run("diagnose", "--output", _directory).Failed(1, "the file exists");
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public void An_empty_bundle_is_none()
    {
        Serve().Bundle = "";
        Run("diagnose").Failed(1, "no bundle");
    }

    [Fact]
    public void Who_may_not_have_it_is_told()
    {
        Serve().Refusal = ("NotAuthorized", "Diagnose takes org.livepatchd1.diagnose: polkit says no");
        Run("diagnose").Failed(77, "org.livepatchd1.diagnose", "; try sudo");
    }

    void IDisposable.Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        Dispose();
    }
}
