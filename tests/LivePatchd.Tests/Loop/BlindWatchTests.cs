// What is looked at where there is no kernel log: others' patches always, the kernel's counters while a patch is on probation.
using LivePatchd.Core.Model;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class BlindWatchTests : IDisposable
{
    private static readonly TimeSpan Two = TimeSpan.FromSeconds(2);

    private readonly Bench bench = new();
    private readonly TestKernel kernel;

    public BlindWatchTests()
    {
        foreach (var (path, content) in new[]
        {
            ("/proc/sys/kernel/osrelease", Patch.HostRelease + "\n"), ("/proc/sys/kernel/random/boot_id", Bench.Boot + "\n"), ("/proc/sys/kernel/tainted", "0\n"),
        })
            bench.Files.Write(path, content);
        kernel = new TestKernel(bench.Root);
    }

    public void Dispose() => bench.Dispose();

    [Theory]
    [InlineData("/sys/kernel/oops_count")]
    [InlineData("/sys/kernel/warn_count")]
    [InlineData("/proc/sys/kernel/tainted")]
    public void IsChanged_CounterRisesDuringSoak_OnceUntilSeen(string file)
    {
        bench.Files.Write(file, "0\n");
        var now = Given.Now;
        var watch = new BlindWatch(kernel, blind: true);
        watch.Saw(kernel.Observe([]), now);
        Assert.True(watch.Due is { } due && !now.After(Two).IsBefore(due), "it is looked at too seldom");
        Assert.False(watch.IsChanged(() => [], () => true, now.After(Two)));
        bench.Files.Write(file, "512\n");
        Assert.False(watch.IsChanged(() => [], () => true, now.After(Two)));
        Assert.False(watch.IsChanged(() => [], () => false, now.After(2 * Two)));
        Assert.True(watch.IsChanged(() => [], () => true, now.After(3 * Two)));
        watch.Saw(kernel.Observe([]), now.After(3 * Two));
        Assert.False(watch.IsChanged(() => [], () => true, now.After(4 * Two)));
    }

    [Fact]
    public void IsChanged_PatchLoadedByOthers_WithoutSoakToo()
    {
        var watch = new BlindWatch(kernel, blind: true);
        watch.Saw(kernel.Observe([]), Given.Now);
        kernel.Insmod(new Patch("lp_one"));
        Assert.True(watch.IsChanged(() => [], () => false, Given.Now.After(Two)));
    }

    [Fact]
    public void IsChanged_NamedModuleAppears_Seen()
    {
        var watch = new BlindWatch(kernel, blind: true);
        watch.Saw(kernel.Observe([Given.One]), Given.Now);
        new SysfsTree(bench.Root).AddModule("lp_one", livepatch: true, [1]);
        Assert.False(watch.IsChanged(() => [], () => false, Given.Now.After(Two)));
        Assert.True(watch.IsChanged(() => [Given.One], () => false, Given.Now.After(2 * Two)));
    }

    [Fact]
    public void Due_KernelLogPresent_Never()
    {
        var seeing = new BlindWatch(kernel, blind: false);
        seeing.Saw(kernel.Observe([]), Given.Now);
        Assert.Null(seeing.Due);
        kernel.Insmod(new Patch("lp_one"));
        Assert.False(seeing.IsChanged(() => [], () => true, Given.Now.After(Two)));
    }

    [Fact]
    public void IsChanged_NothingSeenYet_False() =>
        Assert.False(new BlindWatch(kernel, blind: true).IsChanged(() => [], () => true, Given.Now));
}
