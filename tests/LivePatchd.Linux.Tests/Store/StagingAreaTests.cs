// Staging into a directory whose owner exchanges names meanwhile: nothing is written or removed anywhere else.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Store;
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.Linux.Tests.Store;

public sealed class StagingAreaTests : IDisposable
{
    private const uint Owner = 65534;
    private const string Watched = "/srv/patches";
    private const string Release = Watched + "/" + ModuleImage.Release;

    private static readonly ImmutableArray<WatchedDirectory> Directories = [new(Watched, false)];

    private readonly FakeRoot root = new();
    private readonly PatchStore store;
    private readonly Thread me = Thread.CurrentThread;

    public StagingAreaTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give directories away");
        store = new PatchStore(root.Root);
        store.Trust.AlsoOwner = Owner;
        root.MakeDirectory(Release);
        root.MakeDirectory("/elsewhere");
        root.Write("/source", new ModuleImage().Build());
        Assert.Equal(0, FakeRoot.chown(root.Path(Watched), Owner, Owner));
        Assert.Equal(0, FakeRoot.chown(root.Path(Release), Owner, Owner));
    }

    public void Dispose()
    {
        Failpoint.Hit = null;
        root.Dispose();
    }

    [Fact]
    public void Stage_IntoADirectoryOfTheTrustedOwner_PutsTheFileThere()
    {
        Assert.NotNull(Stage().Name);
        Assert.Equal(["lp_one.ko"], Directory.EnumerateFileSystemEntries(root.Path(Release)).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("stage.directory-made")]
    [InlineData("stage.copied")]
    [InlineData("stage.judged")]
    public void Stage_HiddenDirectoryExchangedForALink_WritesNothingElsewhere(string point)
    {
        Exchange(point, () =>
        {
            var hidden = Directory.EnumerateDirectories(root.Path(Release), ".staging-*").Single();
            Directory.Move(hidden, root.Path(Watched + "/taken"));
            Directory.CreateSymbolicLink(hidden, root.Path("/elsewhere"));
        });
        Stage();
        Assert.Empty(Directory.EnumerateFileSystemEntries(root.Path("/elsewhere")));
    }

    [Theory]
    [InlineData("stage.directory-made")]
    [InlineData("stage.copied")]
    [InlineData("stage.judged")]
    [InlineData("stage.renamed")]
    public void Stage_ReleaseDirectoryExchangedForALink_WritesNothingElsewhere(string point)
    {
        Exchange(point, () =>
        {
            Directory.Move(root.Path(Release), root.Path(Watched + "/taken"));
            Directory.CreateSymbolicLink(root.Path(Release), root.Path("/elsewhere"));
        });
        Stage();
        Assert.Empty(Directory.EnumerateFileSystemEntries(root.Path("/elsewhere")));
    }

    [Fact]
    public void Stage_ReleaseDirectoryIsALink_IsRefused()
    {
        Directory.Delete(root.Path(Release));
        Directory.CreateSymbolicLink(root.Path(Release), root.Path("/elsewhere"));
        Assert.Null(Stage().Name);
        Assert.Empty(Directory.EnumerateFileSystemEntries(root.Path("/elsewhere")));
    }

    [Fact]
    public void Unstage_ReleaseDirectoryExchangedForALink_RemovesNothingElsewhere()
    {
        Assert.NotNull(Stage().Name);
        root.Write("/elsewhere/lp_one.ko", "somebody's");
        Exchange("unstage.before", () =>
        {
            Directory.Move(root.Path(Release), root.Path(Watched + "/taken"));
            Directory.CreateSymbolicLink(root.Path(Release), root.Path("/elsewhere"));
        });
        new StagingArea(root.Root, store).Unstage([Release + "/lp_one.ko"], Directories);
        Assert.True(File.Exists(root.Path("/elsewhere/lp_one.ko")));
    }

    [Fact]
    public void Stage_IntoADirectoryThatEverybodyMayWrite_IsRefused()
    {
        File.SetUnixFileMode(root.Path(Watched), (UnixFileMode)Convert.ToInt32("1777", 8));
        Assert.Equal(Reason.UnsafePermissions, Stage().Refused?.Reason);
    }

    private StageResult Stage() => new StagingArea(root.Root, store).Stage(File.OpenHandle(root.Path("/source")), "lp_one.ko", Directories, ModuleImage.Release);

    private void Exchange(string point, Action act) => Failpoint.Hit = name =>
    {
        if (name == point && Thread.CurrentThread == me)
            act();
    };
}
