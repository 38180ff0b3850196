// What a scan has found is logged when it is new, and not at every scan.
using LivePatchd.Core.Model;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class ScanNewsTests : IDisposable
{
    private static readonly RefusedFile Bad = new("/p/lp_one.ko", Given.One, Reason.UnsafeOwner, "owned by uid 1000");
    private static readonly UnreadableDirectory Gone = new("/p", Errno.EIO);

    private readonly Bench bench = new();

    public void Dispose() => bench.Dispose();

    private void Tell(DesiredState before, DesiredState now) => ScanNews.Tell(bench.Log, before, now);

    [Fact]
    public void Tell_NewRefusal_LoggedOnce()
    {
        var found = new DesiredState([], [Bad], []);
        Tell(DesiredState.Empty, found);
        Tell(found, found);
        Assert.Equal(1, bench.Said.Count("/p/lp_one.ko: owned by uid 1000"));
    }

    [Fact]
    public void Tell_RefusalForAnotherReason_LoggedAgain()
    {
        Tell(new DesiredState([], [Bad], []), new DesiredState([], [Bad with { Reason = Reason.FileTooLarge, Detail = "64 MiB" }], []));
        Assert.Equal(1, bench.Said.Count("/p/lp_one.ko: 64 MiB"));
    }

    [Fact]
    public void Tell_RefusalComesBack_LoggedAgain()
    {
        var found = new DesiredState([], [Bad], []);
        Tell(DesiredState.Empty, found);
        Tell(found, DesiredState.Empty);
        Tell(DesiredState.Empty, found);
        Assert.Equal(2, bench.Said.Count("owned by uid 1000"));
    }

    [Fact]
    public void Tell_UnreadableDirectory_LoggedWithErrno()
    {
        var found = new DesiredState([], [], [Gone]);
        Tell(DesiredState.Empty, found);
        Tell(found, found);
        Assert.Equal(1, bench.Said.Count("/p cannot be read: it cannot be read (EIO); nothing loaded from there is taken out"));
    }

    [Fact]
    public void Tell_AcceptedFiles_SayNothing()
    {
        Tell(DesiredState.Empty, Given.Want(Given.File()));
        Assert.Equal("", bench.Said.Text);
    }
}
