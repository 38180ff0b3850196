// Which changes wake the watcher, and that it follows directories that come and go.
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Watch;

namespace LivePatchd.Linux.Tests.Watch;

public sealed class DirectoryWatcherTests : IDisposable
{
    private const string Watched = "/var/lib/livepatchd/patches/6.1.0";

    private readonly FakeRoot root = new();
    private readonly DirectoryWatcher watcher;

    public DirectoryWatcherTests() => watcher = new DirectoryWatcher(root.Root);

    public void Dispose()
    {
        watcher.Dispose();
        root.Dispose();
    }

    [Fact]
    public void Finished_files_wake_and_unfinished_ones_do_not()
    {
        Watch();
        using (var file = File.Create(root.Path(Watched + "/a.ko")))
        {
            file.Write([1]);
            file.Flush();
            Assert.False(watcher.Drain());
        }
        Assert.True(watcher.Drain());
        Assert.False(watcher.Drain());
    }

    [Fact]
    public void Renames_and_deletions_wake()
    {
        root.Write("/outside", "x");
        Watch();
        File.Move(root.Path("/outside"), root.Path(Watched + "/a.ko"));
        Assert.True(watcher.Drain());
        File.Move(root.Path(Watched + "/a.ko"), root.Path("/outside"));
        Assert.True(watcher.Drain());
        File.Move(root.Path("/outside"), root.Path(Watched + "/a.ko"));
        Assert.True(watcher.Drain());
        File.Delete(root.Path(Watched + "/a.ko"));
        Assert.True(watcher.Drain());
    }

    [Fact]
    public void Things_that_are_complete_as_soon_as_they_exist_wake()
    {
        root.Write("/outside", "x");
        Watch();
        File.CreateSymbolicLink(root.Path(Watched + "/link.ko"), "x");
        Assert.True(watcher.Drain());
        Assert.Equal(0, FakeRoot.mkfifo(root.Path(Watched + "/fifo.ko"), 0x180));
        Assert.True(watcher.Drain());
        Assert.Equal(0, FakeRoot.link(root.Path("/outside"), root.Path(Watched + "/hard.ko")));
        Assert.True(watcher.Drain());
        root.MakeDirectory(Watched + "/directory");
        Assert.True(watcher.Drain());
    }

    [Fact]
    public void Hidden_names_do_not_wake_before_they_are_renamed()
    {
        Watch();
        root.Write(Watched + "/.coming.ko", "x");
        Assert.False(watcher.Drain());
        File.Move(root.Path(Watched + "/.coming.ko"), root.Path(Watched + "/here.ko"));
        Assert.True(watcher.Drain());
        File.Move(root.Path(Watched + "/here.ko"), root.Path(Watched + "/.gone.ko"));
        Assert.True(watcher.Drain());
    }

    [Fact]
    public void A_corrected_mode_wakes()
    {
        var path = root.Write(Watched + "/a.ko", "x");
        Watch();
        File.SetUnixFileMode(path, (UnixFileMode)0x100);
        Assert.True(watcher.Drain());
    }

    [Fact]
    public void Reading_does_not_wake()
    {
        var path = root.Write(Watched + "/a.ko", "x");
        Watch();
        _ = File.ReadAllBytes(path);
        _ = Directory.GetFiles(root.Path(Watched));
        Assert.False(watcher.Drain());
    }

    [Fact]
    public void A_missing_directory_is_awaited_level_by_level()
    {
        Assert.True(watcher.Sync([Watched]).IsOk);
        Assert.False(watcher.Drain());
        root.MakeDirectory("/unrelated");
        Assert.False(watcher.Drain());
        foreach (var level in new[] { "/var", "/var/lib", "/var/lib/livepatchd", "/var/lib/livepatchd/patches", Watched })
        {
            root.MakeDirectory(level);
            Assert.True(watcher.Drain(), level);
            Assert.True(watcher.Sync([Watched]).IsOk);
        }
        root.Write(Watched + "/a.ko", "x");
        Assert.True(watcher.Drain());
    }

    [Fact]
    public void A_directory_removed_and_made_again_is_watched_again()
    {
        Watch();
        for (var round = 0; round < 3; round++)
        {
            Directory.Delete(root.Path(Watched));
            Assert.True(watcher.Drain());
            Assert.True(watcher.Sync([Watched]).IsOk);
            watcher.Drain();
            root.MakeDirectory(Watched);
            Assert.True(watcher.Drain());
            Assert.True(watcher.Sync([Watched]).IsOk);
            watcher.Drain();
            var path = root.Write(Watched + "/a.ko", "x");
            Assert.True(watcher.Drain());
            File.Delete(path);
            watcher.Drain();
        }
    }

    [Fact]
    public void A_directory_moved_away_wakes()
    {
        Watch();
        Directory.Move(root.Path(Watched), root.Path("/moved"));
        Assert.True(watcher.Drain());
        Assert.True(watcher.Sync([Watched]).IsOk);
        watcher.Drain();
        File.WriteAllText(root.Path("/moved/a.ko"), "x");
        Assert.False(watcher.Drain());
    }

    [Fact]
    public void Directories_no_longer_wanted_are_left_alone()
    {
        root.MakeDirectory("/other");
        Watch();
        Assert.True(watcher.Sync(["/other"]).IsOk);
        watcher.Drain();
        root.Write(Watched + "/a.ko", "x");
        Assert.False(watcher.Drain());
        root.Write("/other/a.ko", "x");
        Assert.True(watcher.Drain());
    }

    [Fact]
    public void Syncing_again_changes_nothing_and_raises_nothing()
    {
        Watch();
        for (var i = 0; i < 10; i++)
            Assert.True(watcher.Sync([Watched, Watched + "/", "/missing/too"]).IsOk);
        Assert.False(watcher.Drain());
    }

    [Fact]
    public void An_overflow_wakes_and_does_not_deafen()
    {
        Watch();
        var limit = int.Parse(File.ReadAllText("/proc/sys/fs/inotify/max_queued_events"), System.Globalization.CultureInfo.InvariantCulture);
        if (limit > 50_000)
            Assert.Skip($"the queue holds {limit} events");
        var path = root.Path(Watched + "/a");
        // Alternating names, because the kernel merges equal events in a row.
        for (var i = 0; i < (limit / 2) + 1000; i++)
        {
            File.WriteAllBytes(path, []);
            File.Delete(path);
        }
        var drains = 0;
        while (watcher.Drain())
            Assert.True(++drains < 1000);
        Assert.NotEqual(0, drains);
        File.WriteAllBytes(path, [1]);
        Assert.True(watcher.Drain());
    }

    [Fact]
    public void The_descriptor_is_readable_when_something_waits()
    {
        Watch();
        var ready = new bool[1];
        Assert.Equal(0, Poller.Wait([watcher.Fd], ready, TimeSpan.Zero, TimeProvider.System).Value);
        root.Write(Watched + "/a.ko", "x");
        Assert.Equal(1, Poller.Wait([watcher.Fd], ready, TimeSpan.FromSeconds(10), TimeProvider.System).Value);
    }

    private void Watch()
    {
        root.MakeDirectory(Watched);
        Assert.True(watcher.Sync([Watched]).IsOk);
        watcher.Drain();
    }
}
