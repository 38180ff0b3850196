// What a killed daemon leaves goes at the next start, and nothing else does.
using LivePatchd.Core.Config;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Tests.Store;

public sealed class LeftoversTests : IDisposable
{
    private const string State = "/var/lib/livepatchd/state";
    private const string Watched = "/var/lib/livepatchd/patches";

    private readonly FakeRoot root = new();

    public void Dispose() => root.Dispose();

    [Fact]
    public void Temporary_files_and_staging_directories_go_and_everything_else_stays()
    {
        root.Write(State + "/journal", "x");
        root.Write(State + "/.tmp-abc", "x");
        root.Write(Watched + "/6.1.0/lp_one.ko", "x");
        root.Write(Watched + "/6.1.0/.lp_two.ko.part", "somebody is copying");
        root.Write(Watched + "/6.1.0/.staging-1/lp_one.ko", "x");
        root.MakeDirectory(Watched + "/5.0.0/.staging-2");
        root.Write(Watched + "/5.0.0/.staging-file", "no directory");
        Assert.Equal(3, Sweep(readOnly: false));
        Assert.Equal(
            ["/5.0.0/.staging-file", "/6.1.0/.lp_two.ko.part", "/6.1.0/lp_one.ko"],
            Directory.EnumerateFiles(root.Path(Watched), "*", SearchOption.AllDirectories).Select(f => f[root.Path(Watched).Length..]).Order(StringComparer.Ordinal));
        Assert.Equal(["journal"], Directory.EnumerateFileSystemEntries(root.Path(State)).Select(Path.GetFileName));
        Assert.False(Directory.Exists(root.Path(Watched + "/5.0.0/.staging-2")));
    }

    [Fact]
    public void A_directory_that_is_read_only_by_configuration_is_left_alone()
    {
        root.Write(Watched + "/6.1.0/.staging-1/lp_one.ko", "x");
        Assert.Equal(0, Sweep(readOnly: true));
        Assert.True(File.Exists(root.Path(Watched + "/6.1.0/.staging-1/lp_one.ko")));
    }

    [Fact]
    public void Where_others_can_write_no_name_is_followed()
    {
        root.Write("/elsewhere/precious", "x");
        root.MakeDirectory(Watched + "/6.1.0");
        Directory.CreateSymbolicLink(root.Path(Watched + "/6.1.0/.staging-1"), root.Path("/elsewhere"));
        Sweep(readOnly: false);
        root.Write(Watched + "/6.1.0/.staging-2/lp_one.ko", "x");
        File.SetUnixFileMode(root.Path(Watched + "/6.1.0"), (UnixFileMode)0b111_111_111);
        Sweep(readOnly: false);
        Assert.True(File.Exists(root.Path("/elsewhere/precious")));
        Assert.True(File.Exists(root.Path(Watched + "/6.1.0/.staging-2/lp_one.ko")));
    }

    [Fact]
    public void Without_any_directory_there_is_nothing_to_do() => Assert.Equal(0, Sweep(readOnly: false));

    private int Sweep(bool readOnly) => new Leftovers(root.Root, new PatchStore(root.Root)).Sweep([new WatchedDirectory(Watched, readOnly)]);
}
