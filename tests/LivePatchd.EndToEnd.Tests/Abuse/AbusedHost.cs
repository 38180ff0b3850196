// The daemon as a process of its own on a private bus, with a kernel that a test can look into, and the means to tell how it bears abuse.
using System.Diagnostics;
using System.Globalization;
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.CrashHost;
using LivePatchd.EndToEnd.Tests.Crash;

namespace LivePatchd.EndToEnd.Tests.Abuse;

internal sealed class AbusedHost : IAsyncDisposable
{
    public const string Victim = "lp_victim";

    private readonly KernelServer server;
    private readonly CrashChild child;
    private int rounds;

    private AbusedHost()
    {
        server = new KernelServer(Host.Kernel, Path.Combine(Host.Directory, "kernel"));
        child = new CrashChild(new HostArguments(Host.Directory, Host.Bus.Address, server.Path, TimeSpan.Zero, new Dictionary<string, int>()));
    }

    public TestHost Host { get; } = new();

    public List<TimeSpan> Latencies { get; } = [];

    public double ResidentMiB => Memory("VmRSS:");

    public double PeakMiB => Memory("VmHWM:");

    public int Descriptors => Directory.GetFiles($"/proc/{child.Id}/fd").Length;

    /// <summary>Processor time so far.</summary>
    public TimeSpan DaemonWork => child.Work;

    public TimeSpan BusWork => Host.Bus.Work;

    /// <summary>Warm: what runs for the first time is compiled by then, which is not the abuser's work.</summary>
    public static async Task<AbusedHost> Started()
    {
        var abused = new AbusedHost();
        await Limit.Until(() => abused.Host.View.List().IsOk, () => abused.child.Said);
        abused.Host.Drop(new Patch(Victim));
        await abused.Host.Becomes(Victim, "active");
        for (var i = 0; i < 5; i++)
            await abused.Reconcile();
        using (var client = UserClient.Connect(abused.Host.Bus, UserClient.Nobody))
        {
            foreach (var method in new[] { "Apply", "Revert" })
                BusView.Refused(new BusView(client).Ask(method, Victim), "NotAuthorized");
        }
        abused.Latencies.Clear();
        abused.ForgetPeak();
        return abused;
    }

    /// <summary>From now on the peak is counted anew.</summary>
    public void ForgetPeak() => File.WriteAllText($"/proc/{child.Id}/clear_refs", "5");

    /// <summary>A file is dropped and becomes a patched kernel, then taken out and leaves it; the first of the two is timed.</summary>
    public async Task Reconcile()
    {
        var patch = new Patch($"lp_{rounds++}");
        var begun = Stopwatch.GetTimestamp();
        Host.Drop(patch);
        await Limit.Until(() => Host.Kernel.Active.Contains(patch.Name), State);
        Latencies.Add(Stopwatch.GetElapsedTime(begun));
        Host.Remove(patch.FileName);
        await Limit.Until(() => !Host.Kernel.Has(patch.Name), State);
    }

    public string Figures(string what)
    {
        var sorted = Latencies.Select(l => l.TotalMilliseconds).Order().ToList();
        double At(double share) => sorted.Count == 0 ? double.NaN : sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {sorted.Count} patches loaded meanwhile, from the file to active p50 {At(0.5):F0} ms, p99 {At(0.99):F0} ms; {PeakMiB:F0} MiB at most");
    }

    /// <summary>It lives, answers, has done nothing that nobody but root may do, and is no larger than that.</summary>
    public void Verify(double before, double mayGrowMiB)
    {
        Assert.False(child.HasEnded, child.Said);
        var list = BusView.Value(AnsweredList());
        Assert.Equal("active", Assert.Single(list, p => p.Name == Victim).State);
        Assert.Equal(1UL, Host.View.Manager()["ConfigGeneration"]);
        Assert.Equal("", Host.View.Manager()["HoldWhy"]);
        Assert.Empty((object[])Host.View.Manager()["Inhibitors"]);
        Assert.DoesNotContain(Host.Kernel.Calls, c => c.StartsWith("disable " + Victim, StringComparison.Ordinal));
        Assert.Equal(rounds + 1, Host.Kernel.Calls.Count(c => c.StartsWith("load ", StringComparison.Ordinal)));
        Assert.True(PeakMiB - before <= mayGrowMiB, $"grew from {before:F0} to {PeakMiB:F0} MiB");
    }

    /// <summary>dbus-daemon itself refuses calls until the daemon has taken what the flood has left in its queue.</summary>
    private BusResult<List<Listed>> AnsweredList()
    {
        var list = Host.View.List();
        SpinWait.SpinUntil(
            () =>
            {
                if (list.Error?.Name != BusErrorNames.LimitsExceeded)
                    return true;
                list = Host.View.List();
                return false;
            },
            Limit.Long);
        return list;
    }

    public async ValueTask DisposeAsync()
    {
        if (!child.HasEnded)
            await child.Stop();
        child.Dispose();
        server.Dispose();
        await Host.DisposeAsync();
    }

    private string State() => $"Kernel: {string.Join(", ", Host.Kernel.Calls.TakeLast(6))}. {child.Said} Log:\n{string.Join('\n', Host.Log.Text.Split('\n').TakeLast(20))}";

    private double Memory(string field) => double.Parse(
        File.ReadLines($"/proc/{child.Id}/status").First(l => l.StartsWith(field, StringComparison.Ordinal)).Split(':', 'k')[1], CultureInfo.InvariantCulture) / 1024;
}
