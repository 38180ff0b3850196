// How much of a file is no hole, by SEEK_DATA and SEEK_HOLE.
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Tests.Native;

public sealed class DataBytesTests : IDisposable
{
    private const int Block = 64 * 1024;

    private readonly FakeRoot root = new();

    public void Dispose() => root.Dispose();

    [Theory]
    [InlineData(new int[0], 0)]
    [InlineData(new[] { 0, 1, 2, 3 }, 4)]
    [InlineData(new[] { 3 }, 1)]
    [InlineData(new[] { 0, 2 }, 2)]
    public void DataBytes_BlocksWithData_CountsThemAndReturnsToTheBeginning(int[] written, int blocks)
    {
        using var file = File.OpenHandle(root.Write("/file", ""), FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.SetLength(file, 4 * Block);
        foreach (var at in written)
            RandomAccess.Write(file, Enumerable.Repeat((byte)1, Block).ToArray(), (long)at * Block);
        Assert.Equal((long)blocks * Block, Sys.DataBytes(file, long.MaxValue));
        Assert.Equal(Math.Min(blocks * Block, 100), Sys.DataBytes(file, 100));
        Assert.Equal(0, LibC.lseek(file, 0, 1));
    }

    [Fact]
    public void DataBytes_FileThatKnowsNoSuchCall_AllOfIt()
    {
        using var file = File.OpenHandle("/proc/self/status");
        Assert.Equal(1000, Sys.DataBytes(file, 1000));
    }
}
