// A scan that does not end is told of once, and once more when it has.
using LivePatchd.Core.Model;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class SlowFilesTests : IDisposable
{
    private readonly Bench bench = new();

    public void Dispose() => bench.Dispose();

    [Fact]
    public void IsChanged_BusyForAMinute_StuckUntilItEnds()
    {
        var slow = new SlowFiles(bench.Log);
        Assert.False(slow.IsChanged(busy: false, bench.Now));
        Assert.Null(slow.Due);
        Assert.False(slow.IsChanged(busy: true, bench.Now));
        Assert.Equal(bench.Now.After(SlowFiles.Patience), slow.Due);
        bench.Time.Skip(SlowFiles.Patience / 2);
        Assert.False(slow.IsChanged(busy: true, bench.Now));
        bench.Time.Skip(SlowFiles.Patience / 2);
        Assert.True(slow.IsChanged(busy: true, bench.Now));
        Assert.True(slow.IsStuck);
        Assert.False(slow.IsChanged(busy: true, bench.Now));
        Assert.Equal(1, bench.Said.Count("until it ends no file and no denial is seen"));
        Assert.True(slow.IsChanged(busy: false, bench.Now));
        Assert.False(slow.IsStuck);
    }
}
