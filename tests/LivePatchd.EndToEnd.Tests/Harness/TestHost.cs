// A host in one test: a root of its own, a bus, a kernel, a log, and the real daemon on all of them.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Hosting;
using LivePatchd.Linux;
using LivePatchd.Linux.Systemd;
using LivePatchd.Log;

namespace LivePatchd.EndToEnd.Tests;

internal sealed class TestHost : IAsyncDisposable
{
    public const string Release = Patch.HostRelease;
    public const string PatchDirectory = "/var/lib/livepatchd/patches/" + Release;
    public const string JournalPath = "/var/lib/livepatchd/state/journal";

    private readonly List<BusView> views = [];
    private DaemonService? daemon;
    private JournalSink? sink;
    private BusView? bus;

    /// <param name="uptime">At the test's begin, beside the machine's own.</param>
    public TestHost(TestKernel? kernel = null, bool startBus = true, TimeSpan? uptime = null)
    {
        Time = uptime is { } since ? new SkippingTime { Uptime = since } : new SkippingTime();
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mutating bus calls are for root only");
        Directory = System.IO.Directory.CreateTempSubdirectory("lp-e2e-").FullName;
        Mode(Directory, "755");
        Root = new SystemRoot(Directory);
        Boot("11111111-1111-4111-8111-111111111111");
        Write("/proc/sys/kernel/osrelease", Release + "\n");
        Write("/proc/sys/kernel/tainted", "32768\n");
        Write("/proc/sys/kernel/ftrace_enabled", "1\n");
        Write("/proc/self/status", "Name:\tlivepatchd\nCapEff:\t000001ffffffffff\n");
        MakeDirectory(PatchDirectory);
        Configure("");
        Kernel = kernel ?? new TestKernel(Root);
        Log = new LogSocket(Root.Path("/run/systemd/journal/socket"));
        Bus = new PrivateBus(Directory);
        if (startBus)
            Bus.Start();
    }

    public string Directory { get; }

    public SystemRoot Root { get; }

    public TestKernel Kernel { get; set; }

    public PrivateBus Bus { get; }

    public LogSocket Log { get; }

    /// <summary>What is sampled instead of the root's files.</summary>
    public Func<Instant, PressureSample>? Pressure { get; set; }

    public SkippingTime Time { get; }

    public BusView View => bus ??= Connect();

    public string? LoopbackAddress => daemon?.Endpoint?.LoopbackAddress;

    public string MetricsSocket => Root.Path("/run/livepatchd/metrics.sock");

    public static async Task<TestHost> Started(TestKernel? kernel = null)
    {
        var host = new TestHost(kernel);
        await host.Start();
        return host;
    }

    public async Task Start(bool waitForBus = true)
    {
        sink = new JournalSink(Root);
        daemon = new DaemonService(new DaemonOptions(Root, BusAddress.At(Bus.Address)), new DaemonLog(sink), Time, Kernel, Pressure);
        await daemon.StartAsync(TestContext.Current.CancellationToken);
        if (waitForBus)
            await Limit.Until(() => View.List().IsOk, () => Log.Text);
    }

    public async Task Stop()
    {
        if (daemon is null)
            return;
        await daemon.StopAsync(TestContext.Current.CancellationToken);
        await daemon.DisposeAsync();
        daemon = null;
        sink!.Dispose();
        // Its name went with it; calls must not reach the next one by chance before that is on the bus.
    }

    public async Task Restart()
    {
        await Stop();
        await Start();
    }

    /// <summary>What the daemon tells systemd as its status.</summary>
    public string StatusLine => daemon?.Shown is { } shown ? Publish.StatusText.Of(shown, null) : "";

    public void Hangup() => daemon!.Reload();

    public BusView Connect()
    {
        var view = new BusView(Bus.Connect());
        views.Add(view);
        return view;
    }

    /// <summary>After the bus died every connection is dead too.</summary>
    public void ForgetBus()
    {
        views.ForEach(v => v.Dispose());
        views.Clear();
        bus = null;
    }

    /// <summary>Another boot: nothing is in the kernel. The daemon is stopped before, and started after it.</summary>
    public void Reboot(string bootId)
    {
        Boot(bootId);
        Kernel = Kernel.AfterReboot();
    }

    public void Boot(string bootId) => Write("/proc/sys/kernel/random/boot_id", bootId + "\n");

    /// <param name="gates">None closes by default: this root has no figures of the machine's pressure.</param>
    /// <param name="soak">None by default: what is in the kernel is active.</param>
    /// <param name="grace">None by default: a test that takes a file away is not kept waiting.</param>
    public void Configure(string yaml, string gates = "settle: 0s, unavailable: apply", string soak = "duration: 0s", string grace = "0s") => Write(
        "/etc/livepatchd/livepatchd.yaml",
        $"metrics: {{listen: off}}\n{yaml}gates: {{{gates}}}\n{(yaml.Contains("soak:", StringComparison.Ordinal) ? "" : $"soak: {{{soak}}}\n")}{(yaml.Contains("directories:", StringComparison.Ordinal) ? "" : $"directories: [{{path: /var/lib/livepatchd/patches, grace: {grace}}}]\n")}");

    /// <summary>What the kernel would say of the machine's pressure: calm, but for these.</summary>
    /// <param name="ioStall">Time since boot in which some task waited for I/O.</param>
    /// <param name="squeezes">Since boot, on the one CPU.</param>
    public void Figures(TimeSpan ioStall = default, double load = 0.1, uint squeezes = 0)
    {
        foreach (var source in new[] { "io", "cpu", "memory" })
        {
            // Of one length: a reader meets the old figures or the new ones, never half a file.
            var total = source == "io" ? (long)ioStall.TotalMicroseconds : 0;
            Overwrite($"/proc/pressure/{source}", string.Concat(new[] { "some", "full" }.Select(line =>
                $"{line} avg10=0.00 avg60=0.00 avg300=0.00 total={(line == "some" ? total : 0):D12}\n")));
        }
        Overwrite("/proc/loadavg", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{load:00.00} 00.10 00.10 1/100 1000\n"));
        Overwrite("/sys/devices/system/cpu/online", "0\n");
        Overwrite("/proc/net/softnet_stat", $"00000001 00000000 {squeezes:x8} 0\n");
        Overwrite("/proc/net/snmp", "Tcp: OutSegs RetransSegs\nTcp: 1000 0\n");
    }

    /// <summary>As documented: a temporary name, then a rename into place.</summary>
    public string Drop(Patch patch, string? fileName = null, string directory = PatchDirectory) =>
        Drop(fileName ?? patch.FileName, patch.Bytes, directory);

    public string Drop(string fileName, byte[] content, string directory = PatchDirectory)
    {
        MakeDirectory(directory);
        var hidden = Root.Path($"{directory}/.{fileName}.part");
        File.WriteAllBytes(hidden, content);
        Mode(hidden, "644");
        File.Move(hidden, Root.Path($"{directory}/{fileName}"), overwrite: true);
        return Root.Path($"{directory}/{fileName}");
    }

    public void Remove(string fileName, string directory = PatchDirectory) => File.Delete(Root.Path($"{directory}/{fileName}"));

    public string Write(string path, string content)
    {
        MakeDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(Root.Path(path), content);
        Mode(Root.Path(path), "644");
        return Root.Path(path);
    }

    private void Overwrite(string path, string content)
    {
        MakeDirectory(Path.GetDirectoryName(path)!);
        using var file = File.OpenHandle(Root.Path(path), FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.Write(file, System.Text.Encoding.ASCII.GetBytes(content), 0);
    }

    public string MakeDirectory(string path)
    {
        System.IO.Directory.CreateDirectory(Root.Path(path), (UnixFileMode)0b111_101_101);
        return Root.Path(path);
    }

    public static void Mode(string path, string octal) => File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32(octal, 8));

    /// <summary>Waits until the bus shows the patch in this state, and for this reason where one is given.</summary>
    public async Task<Listed> Becomes(string name, string state, string? reason = null)
    {
        Listed? last = null;
        await Limit.Until(
            () => (last = View.Find(name)) is { } p && p.State == state && (reason is null || p.Reason == reason),
            () => $"{name} is {last?.State ?? "absent"} ({last?.Reason}), expected {state} ({reason}). Kernel: {string.Join(", ", Kernel.Calls)}. Log:\n{Log.Text}");
        return last!;
    }

    public async Task Goes(string name) => await Limit.Until(() => View.List() is { IsOk: true, Value: var l } && l!.All(p => p.Name != name), () => Log.Text);

    /// <summary>
    /// Returns when the daemon has read the directories and the kernel twice since: whatever it meant to do about what was
    /// there before, it has begun.
    /// </summary>
    public void Barrier()
    {
        for (var i = 0; i < 2; i++)
            BusView.Refused(View.Ask("Apply", "nobody_has_this_name"), "NoSuchPatch");
    }

    public async ValueTask DisposeAsync()
    {
        Kernel.LoadGate.Set();
        await Stop();
        await Kernel.Freed;
        ForgetBus();
        Bus.Dispose();
        Log.Dispose();
        foreach (var entry in new DirectoryInfo(Directory).EnumerateDirectories("*", SearchOption.AllDirectories))
        {
            if ((entry.UnixFileMode & UnixFileMode.UserWrite) == 0)
                entry.UnixFileMode |= UnixFileMode.UserWrite;
        }
        System.IO.Directory.Delete(Directory, recursive: true);
        Assert.Empty(Log.Errors);
    }
}
