// A disk, or a file server, that does not answer: what takes a patch out, or turns a transition back, does not wait for it.
using LivePatchd.Linux;

namespace LivePatchd.EndToEnd.Tests.Crash;

[Collection("faults")]
public sealed class SlowFilesTests : IDisposable
{
    private readonly ManualResetEventSlim reached = new();
    private readonly ManualResetEventSlim answers = new(initialState: true);

    /// <summary>Where the disk is met.</summary>
    private volatile string point = "scan.begin";

    public SlowFilesTests() => Failpoint.Hit = name =>
    {
        if (name != point || answers.IsSet)
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

    [Fact]
    public async Task A_patch_that_does_harm_goes_while_the_disk_of_the_journal_hangs()
    {
        await using var host = new TestHost();
        host.Configure("", soak: "duration: 1h, checks: {units: false}");
        using var kernelLog = new FakeKernelLog(host);
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "soaking");
        host.Barrier();
        point = "log.append.written";
        reached.Reset();
        answers.Reset();
        kernelLog.Say("BUG: kernel NULL pointer dereference, address: 0000000000000000", "RIP: 0010:lp_new+0x5/0x10 [lp_one]", "---[ end trace 0000000000000000 ]---");
        await Limit.Until(() => !host.Kernel.Has("lp_one"), () => host.Log.Text);
        Assert.True(reached.IsSet, "nothing was written");
        await host.Becomes("lp_one", "quarantined", "kernel-oops");
        // Nothing is loaded meanwhile.
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "held", "journal-unavailable");

        answers.Set();
        host.Barrier();
        await host.Becomes("lp_two", "soaking");
        await host.Restart();
        await host.Becomes("lp_one", "quarantined", "kernel-oops");
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
    }

    private void Hang(TestHost host)
    {
        reached.Reset();
        answers.Reset();
        host.Drop(new Patch("lp_next"));
        Assert.True(reached.Wait(Limit.Long, TestContext.Current.CancellationToken), "no scan began");
    }
}
