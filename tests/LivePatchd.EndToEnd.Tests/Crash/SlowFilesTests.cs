// A disk, or a file server, that does not answer: what takes a patch out, or turns a transition back, does not wait for it.
using LivePatchd.Linux;

namespace LivePatchd.EndToEnd.Tests.Crash;

[Collection("faults")]
public sealed class SlowFilesTests : IDisposable
{
    private readonly ManualResetEventSlim reached = new();
    private readonly ManualResetEventSlim answers = new(initialState: true);

    public SlowFilesTests() => Failpoint.Hit = name =>
    {
        if (name != "scan.begin" || answers.IsSet)
            return;
        reached.Set();
        answers.Wait(Limit.Long);
    };

    public void Dispose()
    {
        answers.Set();
        Failpoint.Hit = null;
        reached.Dispose();
    }

    [Fact]
    public async Task A_transition_is_turned_back_while_a_scan_hangs()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_busy"));
        await host.Becomes("lp_busy", "transitioning");
        Hang(host);
        var job = BusView.Value(host.View.Ask("Revert", "lp_busy"));
        await Limit.Until(() => host.Kernel.Calls.Contains("disable lp_busy ok"), () => host.Log.Text);
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await Limit.Until(() => !host.Kernel.InTransition("lp_busy"));
        answers.Set();
        Assert.Equal("done", await host.View.Result(job));
    }

    [Fact]
    public async Task The_daemon_answers_while_a_scan_hangs()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Hang(host);
        Assert.Contains("lp_one", host.View.Plan(), StringComparison.Ordinal);
        BusView.Value(host.View.Reload());
        answers.Set();
        await host.Becomes("lp_next", "active");
    }

    private void Hang(TestHost host)
    {
        reached.Reset();
        answers.Reset();
        host.Drop(new Patch("lp_next"));
        Assert.True(reached.Wait(Limit.Long, TestContext.Current.CancellationToken), "no scan began");
    }
}
