// The loop's half of a scan: what comes, goes and goes bad in the directories, and the copies that nobody needs any more.
using LivePatchd.Core.Model;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux.Native;

namespace LivePatchd.Tests.Loop;

public sealed class ReconcilerScanningTests : IDisposable
{
    private static readonly Patch One = new("lp_one");

    private readonly LoopBench loop = new();

    public void Dispose() => loop.Dispose();

    /// <summary>The directories are read again every five minutes.</summary>
    private void Rescan()
    {
        loop.Time.Skip(TimeSpan.FromMinutes(6));
        loop.Loop!.LookAgain();
    }

    private int Copies => Directory.Exists(loop.Bench.Files.Path("/var/lib/livepatchd/store"))
        ? Directory.GetFiles(loop.Bench.Files.Path("/var/lib/livepatchd/store"), "*.ko").Length
        : 0;

    [Fact]
    public async Task Scan_FileIsTakenAway_PatchAndCopyGo()
    {
        await loop.Start();
        loop.Drop(One);
        await loop.Until(() => loop.State("lp_one") == "Active");
        Assert.Equal(1, Copies);
        loop.Remove(One);
        await loop.Until(() => loop.State("lp_one") == "Reverted" && !loop.Kernel.Has("lp_one"));
        Rescan();
        await loop.Until(() => Copies == 0);
    }

    [Fact]
    public async Task Scan_WithoutInotify_ReadEveryFewSecondsAndSaid()
    {
        Errno Refuse(string call) => Thread.CurrentThread.Name == "reconcile" && call == "inotify_init1" ? Errno.EMFILE : Errno.None;
        CallFault.Inject += Refuse;
        try
        {
            loop.Watches = false;
            await loop.Start();
            await loop.Until(() => loop.Shown!.Host.Conditions.Any(c => c.Reason is Reason.WatchUnavailable && c.Detail.Contains("EMFILE", StringComparison.Ordinal)));
            loop.Drop(One);
            // In real time: nobody rings, and nobody puts the clock forward.
            await loop.Until(() => loop.State("lp_one") == "Active");
        }
        finally
        {
            CallFault.Inject -= Refuse;
        }
        await loop.Until(() => loop.Shown!.Host.Conditions.All(c => c.Reason is not Reason.WatchUnavailable));
    }

    [Fact]
    public async Task Scan_AnotherBuild_TakesThePlaceOfTheFirst()
    {
        await loop.Start();
        loop.Drop(One);
        await loop.Until(() => loop.State("lp_one") == "Active");
        var next = One with { Build = 2 };
        loop.Drop(next);
        await loop.Until(() => loop.State("lp_one") == "Active" && loop.Shown!.Patches[0].Digest?.Hex == next.Digest);
        Assert.Equal(next.BuildIdHex, loop.Kernel.Modules["lp_one"].BuildId);
        Rescan();
        await loop.Until(() => Copies == 1);
    }

    [Fact]
    public async Task Scan_FileForAnotherKernel_RefusedAndToldOnce()
    {
        await loop.Start();
        loop.Drop(One with { Release = "5.10.0" });
        await loop.Until(() => loop.Reason("lp_one") == Reason.WrongKernel);
        loop.Loop!.LookAgain();
        loop.Drop(new Patch("lp_two"));
        await loop.Until(() => loop.State("lp_two") == "Active");
        Assert.Equal(1, loop.Bench.Said.Count("lp_one.ko: "));
        Assert.Equal(0, loop.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task Start_DirectoryIsUnreadable_NothingLoadedIsTakenOut()
    {
        await loop.Start();
        loop.Drop(One);
        await loop.Until(() => loop.State("lp_one") == "Active");
        loop.Stop();
        var directory = loop.Bench.Files.Path(LoopBench.PatchDirectory);
        Directory.Move(directory, directory + ".aside");
        File.WriteAllText(directory, "");
        await loop.Start();
        await loop.Until(() => loop.Reason("lp_one") == Reason.DirectoryUnreadable);
        Assert.True(loop.Kernel.Has("lp_one"));
        Assert.Equal("Active", loop.State("lp_one"));
    }
}
