// When memory is given back: some seconds after the last work, once.
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class MemoryRestTests
{
    private readonly MemoryRest rest = new();

    [Fact]
    public void Due_NothingDone_Never()
    {
        Assert.Null(rest.Due);
        rest.Take(Given.At(1000));
        Assert.Null(rest.Due);
    }

    [Fact]
    public void Worked_Again_PutsItOff()
    {
        rest.Worked(Given.Now);
        var first = rest.Due!.Value;
        rest.Worked(Given.At(3));
        Assert.Equal(TimeSpan.FromSeconds(3), rest.Due!.Value.Since(first));
    }

    [Fact]
    public void Take_BeforeAndAfterItIsDue_OnceAndOnlyThen()
    {
        rest.Worked(Given.Now);
        var due = rest.Due!.Value;
        rest.Take(due.After(-TimeSpan.FromTicks(1)));
        Assert.Equal(due, rest.Due);
        var before = GC.CollectionCount(GC.MaxGeneration);
        rest.Take(due);
        Assert.Null(rest.Due);
        Assert.True(GC.CollectionCount(GC.MaxGeneration) > before, "nothing was collected");
    }
}
