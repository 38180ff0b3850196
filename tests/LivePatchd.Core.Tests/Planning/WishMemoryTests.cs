// What a missing file means: a wish, or nothing that is known.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

public sealed class WishMemoryTests
{
    private const string Volume = "8:16 / /p";
    private const string Disk = "8:1 / /";

    private static readonly ImmutableArray<WatchedDirectory> Directories = [new WatchedDirectory("/p", ReadOnly: false)];

    private static readonly WantedPatch File = ModelHost.File("lp_a", 1) with { Path = "/p/6.12.0/lp_a.ko", FileSystem = Volume };

    private static readonly OwnedPatch Loaded = new(
        Scene.Name, Scene.Digest, null, File.Path, PatchOrigin.Daemon, Scene.At(1), Scene.At(2), Scene.At(3), null, null)
    {
        FileSystem = Volume,
    };

    private static DesiredState Found(string fileSystem, params ImmutableArray<WantedPatch> files) =>
        new(files, [], []) { Seats = ImmutableDictionary<string, string>.Empty.Add("/p/6.12.0", fileSystem) };

    /// <summary>The watched directory is not there, and so nothing is known of what lies beneath.</summary>
    private static DesiredState Gone { get; } = new([], [], [new UnreadableDirectory("/p", Errno.ENOENT)]);

    private static WishMemory After(WishMemory memory, DesiredState scan, double second) => memory.After(scan, Scene.At(second), [Loaded], Directories);

    private static WishMemory Seen { get; } = After(WishMemory.Empty, Found(Volume, File), 10);

    /// <summary>Null: it stays for now.</summary>
    private static Reason? Unwanted(DesiredState want) => Unwanted(want, Loaded);

    private static Reason? Unwanted(DesiredState want, OwnedPatch loaded)
    {
        var input = new Scene { Patches = [Scene.Loaded(KernelPatchState.Active)], Journal = Scene.Active }.Input;
        input = input with { Want = want, Ledger = input.Ledger with { Owned = input.Ledger.Owned.SetItem(Scene.Name, loaded) } };
        return Planner.Decide(input).Steps.OfType<PlanStep.Disable>().SingleOrDefault()?.Why;
    }

    [Fact]
    public void Judge_FileMissingInAnotherFileSystem_UnreadableAndNothingGoes()
    {
        var memory = After(After(Seen, Found(Disk), 20), Found(Disk), 60);
        var want = memory.Judge([Loaded]);
        var unreadable = Assert.Single(want.Unreadable);
        Assert.Equal(("/p/6.12.0", Errno.EXDEV), (unreadable.Path, unreadable.Errno));
        Assert.Contains("EXDEV", unreadable.Detail, StringComparison.Ordinal);
        Assert.Contains(Disk, unreadable.Detail, StringComparison.Ordinal);
        Assert.Null(Unwanted(want));
        Assert.Null(memory.NextLook);
    }

    [Fact]
    public void Judge_NeighbourOfAnotherFileSystem_OnlyThatOneIsOutOfSight()
    {
        // One came from a volume that has gone; the other lay beneath it on the disk, and is removed afterwards.
        var gone = Loaded with { Name = PatchName.Parse("lp_z"), Path = "/p/6.12.0/lp_z.ko", Digest = ModelHost.Digest("lp_z", 1) };
        var here = Loaded with { FileSystem = Disk };
        ImmutableArray<OwnedPatch> both = [gone, here];
        var memory = WishMemory.Empty
            .After(Found(Disk, File with { FileSystem = Disk }), Scene.At(10), both, Directories)
            .After(Found(Disk), Scene.At(20), both, Directories)
            .After(Found(Disk), Scene.At(30), both, Directories);
        var want = memory.Judge(both);
        Assert.Equal([gone.Name], want.OutOfSight);
        Assert.Equal(Errno.EXDEV, Assert.Single(want.Unreadable).Errno);
        Assert.Equal(Reason.RemovedFromDirectory, Unwanted(want, here));
        Assert.Null(Unwanted(want with { OutOfSight = [here.Name] }, here));
    }

    [Fact]
    public void Judge_WatchedDirectoryVanished_UnreadableAndNothingGoes()
    {
        var want = After(After(Seen, Gone, 20), Gone, 60).Judge([Loaded]);
        Assert.Equal(Errno.ENOENT, Assert.Single(want.Unreadable).Errno);
        Assert.Null(Unwanted(want));
    }

    [Fact]
    public void Judge_VanishedAndBackWithoutTheFile_TheGraceBeginsThen()
    {
        var memory = After(After(After(Seen, Found(Volume), 20), Gone, 21), Found(Volume), 40);
        Assert.Equal(Scene.At(43), memory.NextLook);
        Assert.Null(Unwanted(memory.Judge([Loaded])));
    }

    [Fact]
    public void Judge_FirstScanFindsAnotherFileSystemThanTheRecordSays_Unreadable()
    {
        var memory = After(After(WishMemory.Empty, Found(Disk), 20), Found(Disk), 60);
        Assert.Equal(Errno.EXDEV, Assert.Single(memory.Judge([Loaded]).Unreadable).Errno);
    }

    [Fact]
    public void Judge_FileFoundInTheNewFileSystem_WhatIsMissingThereLaterIsAWish()
    {
        var memory = After(Seen, Found(Disk, File with { FileSystem = Disk }), 20);
        Assert.Empty(memory.Judge([Loaded]).Unreadable);
        memory = After(After(memory, Found(Disk), 30), Found(Disk), 33);
        Assert.Equal(Reason.RemovedFromDirectory, Unwanted(memory.Judge([Loaded])));
    }

    [Fact]
    public void Judge_PatchHasLeft_DirectoryIsHeardAgain()
    {
        var memory = After(Seen, Found(Disk), 20);
        Assert.Empty(memory.Judge([]).Unreadable);
    }

    [Fact]
    public void Judge_DirectoryIsNoLongerConfigured_AWish()
    {
        var memory = After(Seen, new DesiredState([], [], []), 20);
        Assert.Equal(Reason.RemovedFromDirectory, Unwanted(memory.Judge([Loaded])));
    }

    [Theory]
    [InlineData(Volume)]
    [InlineData("")]
    public void Judge_MissingWithinTheGrace_NothingHasHappened(string fileSystem)
    {
        var memory = After(Seen, Found(fileSystem), 20);
        Assert.Equal(Scene.At(23), memory.NextLook);
        var want = memory.Judge([Loaded]);
        Assert.Equal(File, Assert.Single(want.Wanted));
        Assert.Empty(want.Unreadable);
        Assert.Null(Unwanted(want));
        // The same bytes are back.
        memory = After(memory, Found(fileSystem, File), 22);
        Assert.Null(memory.NextLook);
        Assert.Equal([File], memory.Judge([Loaded]).Wanted);
    }

    [Fact]
    public void Judge_MissingAtTheLookAfterTheGrace_AWish()
    {
        // A scan that begins within the grace does not count, however late its result is.
        var memory = After(After(Seen, Found(Volume), 20), Found(Volume), 22.9);
        Assert.Null(Unwanted(memory.Judge([Loaded])));
        memory = After(memory, Found(Volume), 23);
        Assert.Null(memory.NextLook);
        Assert.Equal(Reason.RemovedFromDirectory, Unwanted(memory.Judge([Loaded])));
    }

    [Fact]
    public void Judge_BackAndMissingAgain_TheGraceBeginsAnew()
    {
        var memory = After(After(After(Seen, Found(Volume), 20), Found(Volume, File), 22), Found(Volume), 24);
        Assert.Equal(Scene.At(27), memory.NextLook);
        Assert.Null(Unwanted(memory.Judge([Loaded])));
    }

    [Fact]
    public void Judge_MissingAtTheFirstScan_WaitsForTheGraceToo()
    {
        var memory = After(WishMemory.Empty, Found(Volume), 20);
        Assert.Null(Unwanted(memory.Judge([Loaded])));
        Assert.Equal(Reason.RemovedFromDirectory, Unwanted(After(memory, Found(Volume), 23).Judge([Loaded])));
    }

    [Fact]
    public void Judge_Unstaged_IsNotWaitedFor()
    {
        var memory = After(Seen.WithUnstaged(Scene.Name), Found(Volume), 20);
        Assert.Null(memory.NextLook);
        Assert.Equal(Reason.RemovedFromDirectory, Unwanted(memory.Judge([Loaded])));
    }

    [Fact]
    public void Judge_StagedAgainAfterUnstage_TheNextLossIsWaitedFor()
    {
        var memory = After(After(Seen.WithUnstaged(Scene.Name), Found(Volume), 20), Found(Volume, File), 21);
        Assert.Null(Unwanted(After(memory, Found(Volume), 30).Judge([Loaded])));
    }

    [Fact]
    public void Judge_AnotherBuildInItsPlace_IsNotWaitedFor()
    {
        var next = ModelHost.File("lp_a", 2) with { Path = File.Path, FileSystem = Volume };
        var memory = After(Seen, Found(Volume, next), 20);
        Assert.Equal(Reason.NewVersion, Unwanted(memory.Judge([Loaded])));
    }

    [Fact]
    public void Filed_PackedOrSignedLater_TheNewFileIsRecordedOnceAndNothingMoves()
    {
        var content = ModelHost.Digest("content", 1);
        var packed = File with { Path = "/p/6.12.0/lp_a.ko.xz", Module = File.Module with { Digest = ModelHost.Digest("packed", 1), Content = content } };
        var ledger = LedgerFold.Replay(
            [
                Scene.Record(RecordKind.LoadIntent, 1) with { Content = content, Path = File.Path, FileSystem = Volume },
                Scene.Record(RecordKind.Loaded, 2) with { Content = content }, Scene.Record(RecordKind.Activated, 3) with { Content = content },
            ],
            Scene.Boot);
        var want = Found(Volume, packed);
        Assert.Empty(Bookkeeping.Filed(Found(Volume, File with { Module = File.Module with { Content = content } }), ledger, Scene.At(10)));
        var record = Assert.Single(Bookkeeping.Filed(want, ledger, Scene.At(10)));
        ledger = LedgerFold.Apply(ledger, record);
        Assert.Equal((packed.Module.Digest, packed.Path, Volume), (ledger.Owned[Scene.Name].Digest, ledger.Owned[Scene.Name].Path, ledger.Owned[Scene.Name].FileSystem));
        Assert.Equal(Scene.At(3), ledger.Owned[Scene.Name].ActiveAt);
        Assert.Empty(Bookkeeping.Filed(want, ledger, Scene.At(11)));
        var input = new Scene { Patches = [Scene.Loaded(KernelPatchState.Active)] }.Input with { Want = want, Ledger = ledger };
        Assert.Empty(Planner.Decide(input).Steps);
        // Another build is no new file of this one.
        Assert.Empty(Bookkeeping.Filed(Found(Volume, ModelHost.File("lp_a", 2) with { Path = File.Path }), ledger, Scene.At(12)));
    }

    [Fact]
    public void Judge_GraceOfTheDirectory_CountsInsteadOfTheDefault()
    {
        ImmutableArray<WatchedDirectory> patient = [new("/other", false), new("/p", false) { Grace = TimeSpan.FromMinutes(1) }];
        var memory = Seen.After(Found(Volume), Scene.At(20), [Loaded], patient).After(Found(Volume), Scene.At(79), [Loaded], patient);
        Assert.Null(Unwanted(memory.Judge([Loaded])));
        Assert.Equal(Reason.RemovedFromDirectory, Unwanted(memory.After(Found(Volume), Scene.At(80), [Loaded], patient).Judge([Loaded])));
    }
}
