// The order of the patches, while the kernel answers and while it does not.
using LivePatchd.Core.Model;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class StackOrderWatchTests : IDisposable
{
    private readonly Bench bench = new();
    private readonly AutoResetEvent rung = new(initialState: false);
    private StackOrderWatch? watch;

    public void Dispose()
    {
        watch?.Dispose();
        bench.Dispose();
    }

    private TestKernel Kernel(bool knows)
    {
        foreach (var (path, content) in new[]
        {
            ("/proc/sys/kernel/osrelease", Patch.HostRelease + "\n"), ("/proc/sys/kernel/random/boot_id", Bench.Boot + "\n"), ("/proc/sys/kernel/tainted", "0\n"),
        })
            bench.Files.Write(path, content);
        var kernel = new TestKernel(bench.Root) { KnowsOrder = knows };
        watch = new StackOrderWatch(kernel, () => rung.Set(), bench.Log);
        return kernel;
    }

    private static IEnumerable<int?> Orders(ObservedState seen) => seen.Patches.Select(p => p.StackOrder);

    [Fact]
    public void Complete_KernelAnswers_OrderOfEachChange()
    {
        var kernel = Kernel(knows: true);
        Assert.Empty(watch!.Complete(kernel.Observe([])).Patches);
        foreach (var (name, orders) in new[] { ("lp_one", new int?[] { 1 }), ("lp_two", [1, 2]) })
        {
            kernel.Insmod(new Patch(name));
            Assert.All(Orders(watch.Complete(kernel.Observe([]))), o => Assert.Null(o));
            Assert.True(rung.WaitOne(Limit.Long));
            Assert.Equal(orders, Orders(watch.Complete(kernel.Observe([]))));
            Assert.Equal(orders, Orders(watch.Complete(kernel.Observe([]))));
        }
        Assert.False(rung.WaitOne(0), "it was asked for again although nothing has changed");
    }

    [Fact]
    public void Complete_KernelHoldsItsLock_NoOrderAndNoWait()
    {
        var kernel = Kernel(knows: true);
        kernel.OrderGate.Reset();
        kernel.Insmod(new Patch("lp_one"));
        for (var i = 0; i < 3; i++)
            Assert.Equal([null], Orders(watch!.Complete(kernel.Observe([]))));
        // What is answered late is of what was loaded then.
        kernel.Insmod(new Patch("lp_two"));
        Assert.Equal([null, null], Orders(watch!.Complete(kernel.Observe([]))));
        kernel.OrderGate.Set();
        Assert.True(rung.WaitOne(Limit.Long));
        Assert.Equal([null, null], Orders(watch.Complete(kernel.Observe([]))));
        Assert.True(rung.WaitOne(Limit.Long));
        Assert.Equal([1, 2], Orders(watch.Complete(kernel.Observe([]))));
    }

    [Fact]
    public void Complete_KernelWithoutAttribute_IsNotAsked()
    {
        var kernel = Kernel(knows: false);
        kernel.OrderGate.Reset();
        kernel.Insmod(new Patch("lp_one"));
        for (var i = 0; i < 3; i++)
            Assert.Equal([null], Orders(watch!.Complete(kernel.Observe([]))));
        Assert.False(rung.WaitOne(0));
        kernel.OrderGate.Set();
    }
}
