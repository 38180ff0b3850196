// A host without an inotify instance to spare: the watcher says so, harms nobody, and watches as soon as it can.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Watch;

namespace LivePatchd.Linux.Tests.Faults;

[Collection("faults")]
public sealed class WatchFaultTests
{
    private const string Watched = "/var/lib/livepatchd/patches";

    [Fact]
    public void Without_an_inotify_instance_every_sync_says_so_and_tries_again()
    {
        using var root = new FakeRoot();
        root.MakeDirectory(Watched);
        var thread = Environment.CurrentManagedThreadId;
        Errno Refuse(string call) => Environment.CurrentManagedThreadId == thread && call == "inotify_init1" ? Errno.EMFILE : Errno.None;
        CallFault.Inject += Refuse;
        DirectoryWatcher watcher;
        try
        {
            watcher = new DirectoryWatcher(root.Root);
            var first = watcher.Sync([Watched]);
            Assert.Equal(Errno.EMFILE, first.Errno);
            // Equal, so that a log tells it once.
            Assert.Equal(first, watcher.Sync([Watched]));
            Assert.False(watcher.Drain());
            Assert.Equal(0, Poller.Wait([watcher.Fd], new bool[1], TimeSpan.Zero, TimeProvider.System).Value);
        }
        finally
        {
            CallFault.Inject -= Refuse;
        }
        using (watcher)
        {
            Assert.True(watcher.Sync([Watched]).IsOk);
            root.Write(Watched + "/a.ko", "x");
            Assert.True(watcher.Drain());
        }
    }
}
