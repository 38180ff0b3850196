// What the loop works with ends together.
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class LoopPartsTests : IDisposable
{
    private readonly LoopBench loop = new();

    public void Dispose() => loop.Dispose();

    [Fact]
    public void Dispose_Descriptors_AllClosed()
    {
        var parts = loop.Parts(TimeProvider.System);
        parts.Dispose();
        Assert.True(parts.Wake.Fd.IsClosed);
        Assert.True(parts.Gates.Inhibitors.Fd.IsClosed);
        Assert.True(parts.Watcher.Fd is null or { IsClosed: true });
    }
}
