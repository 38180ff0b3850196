// One host that crashes: its daemon is started again whenever it died, and asked until it answers.
using LivePatchd.Bus;
using LivePatchd.CrashHost;

namespace LivePatchd.EndToEnd.Tests.Crash;

internal sealed class CrashHostRun : IAsyncDisposable
{
    private static readonly TimeSpan BetweenStarts = TimeSpan.FromMinutes(10);

    private readonly CrashTally tally;
    private readonly KernelServer server;
    private CrashChild? child;
    private int starts;

    public CrashHostRun(CrashTally tally)
    {
        this.tally = tally;
        server = new KernelServer(Host.Kernel, Path.Combine(Host.Directory, "kernel"));
    }

    public TestHost Host { get; } = new();

    /// <summary>Where the next life is to end; nowhere when it gives nothing.</summary>
    public Func<Dictionary<string, int>> Arm { get; set; } = static () => [];

    /// <summary>Between two lives.</summary>
    public Action? Dead { get; set; }

    public int Deaths { get; private set; }

    /// <summary>How often the last request was made: all but the last died unanswered, and may have been carried out.</summary>
    public int Attempts { get; private set; }

    public bool IsAlive => child is { HasEnded: false };

    /// <summary>The daemon lives and is on the bus, if need be after some more deaths.</summary>
    public async Task Ensure()
    {
        var patience = new Patience(this);
        while (!patience.IsOver)
        {
            if (child is { HasEnded: true })
                await Bury();
            child ??= new CrashChild(new HostArguments(Host.Directory, Host.Bus.Address, server.Path, BetweenStarts * ++starts, Arm()));
            if (Host.View.List().IsOk)
                return;
            await Task.Delay(3, CancellationToken.None);
        }
        Assert.Fail($"The daemon does not come up. {child?.Said} {Host.Log.Text}");
    }

    /// <summary>Asks until the daemon answers: what an operator does whose daemon died under the request.</summary>
    public async Task<BusResult<T>> Answered<T>(Func<BusView, BusResult<T>> ask)
    {
        Attempts = 0;
        while (true)
        {
            await Ensure();
            Attempts++;
            var result = ask(Host.View);
            if (result.IsOk)
                tally.Accepted();
            if (result.IsOk || !(result.Error.IsUnreachable || result.Error.IsTimeout))
                return result;
            if (IsAlive && result.Error.IsTimeout && result.Error.Name == BusErrorNames.Timeout)
                Assert.Fail($"The daemon lives and does not answer: {result.Error}. {Host.Log.Text}");
        }
    }

    /// <summary>The orderly end of this life.</summary>
    public async Task Stop()
    {
        if (child is null)
            return;
        if (!child.HasEnded)
            await child.Stop();
        await Bury();
    }

    public async ValueTask DisposeAsync()
    {
        child?.Dispose();
        server.Dispose();
        Assert.True(!Host.Log.Errors.Any(), Host.Log.Text);
        await Host.DisposeAsync();
    }

    private async Task Bury()
    {
        if (child!.WasKilled && await server.TakeDeath() is { } place)
        {
            tally.Killed(place);
            Deaths++;
        }
        else if (child.ExitCode != 0)
        {
            Assert.Fail($"The daemon ended by itself with {child.ExitCode}: {child.Said}\n{Host.Log.Text}");
        }
        child.Dispose();
        child = null;
        Dead?.Invoke();
    }
}
