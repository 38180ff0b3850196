// What is looked at where there is no kernel log: others' patches always, the kernel's counters while a patch is on probation.
using LivePatchd.Core.Model;
using LivePatchd.Loop;

namespace LivePatchd.EndToEnd.Tests;

public sealed class BlindWatchTests
{
    private static readonly TimeSpan Two = TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData("/sys/kernel/oops_count")]
    [InlineData("/sys/kernel/warn_count")]
    [InlineData("/proc/sys/kernel/tainted")]
    public async Task A_count_that_rises_is_worth_a_look_while_a_patch_is_on_probation(string file)
    {
        await using var host = new TestHost(startBus: false);
        host.Write(file, "0\n");
        var now = new Instant(TimeSpan.FromHours(1), DateTimeOffset.UnixEpoch);
        var watch = new BlindWatch(host.Kernel, blind: true);
        watch.Saw(host.Kernel.Observe([]), now);
        Assert.True(watch.Due is { } due && !now.After(Two).IsBefore(due), "it is looked at too seldom");
        Assert.False(watch.IsChanged(() => [], () => true, now.After(Two)));
        host.Write(file, "512\n");
        Assert.False(watch.IsChanged(() => [], () => true, now.After(Two)));
        Assert.False(watch.IsChanged(() => [], () => false, now.After(2 * Two)));
        Assert.True(watch.IsChanged(() => [], () => true, now.After(3 * Two)));
        watch.Saw(host.Kernel.Observe([]), now.After(3 * Two));
        Assert.False(watch.IsChanged(() => [], () => true, now.After(4 * Two)));

        var seeing = new BlindWatch(host.Kernel, blind: false);
        seeing.Saw(host.Kernel.Observe([]), now);
        Assert.Null(seeing.Due);
    }
}
