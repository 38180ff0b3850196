// A loop with nothing around it: a root, a kernel of the test's own, no bus and no systemd. What it publishes is what a test sees.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux.Config;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Placement;
using LivePatchd.Linux.Preflight;
using LivePatchd.Linux.Pressure;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Systemd;
using LivePatchd.Linux.Tasks;
using LivePatchd.Linux.Watch;
using LivePatchd.Loop;
using LivePatchd.Metrics;
using LivePatchd.Publish;

namespace LivePatchd.Tests;

internal sealed class LoopBench : IDisposable
{
    public const string PatchDirectory = "/var/lib/livepatchd/patches/" + Patch.HostRelease;

    private const string ConfigFile = "/etc/livepatchd/livepatchd.yaml";

    private readonly List<IDisposable> readers = [];
    private volatile DaemonSnapshot? shown;
    private LoopParts? parts;

    public LoopBench()
    {
        foreach (var (path, content) in new[]
        {
            ("/proc/sys/kernel/osrelease", Patch.HostRelease + "\n"), ("/proc/sys/kernel/random/boot_id", Bench.Boot + "\n"), ("/proc/sys/kernel/tainted", "0\n"),
            ("/proc/sys/kernel/ftrace_enabled", "1\n"), ("/proc/self/status", "Name:\tlivepatchd\nCapEff:\t000001ffffffffff\n"),
        })
            Bench.Files.Write(path, content);
        Bench.Files.MakeDirectory(PatchDirectory);
        Configure("");
        Kernel = new TestKernel(Bench.Root);
    }

    public Bench Bench { get; } = new();

    public TestKernel Kernel { get; }

    public SkippingTime Time { get; } = new();

    public Reconciler? Loop { get; private set; }

    /// <summary>Of the loop that was started last.</summary>
    public DaemonMeter? Meter { get; private set; }

    /// <summary>False: no inotify instance is to be had when it starts.</summary>
    public bool Watches { get; set; } = true;

    public int Looks { get; private set; }

    public DaemonSnapshot? Shown => shown;

    public string? State(string name) => shown?.Patches.FirstOrDefault(p => p.Name.Value == name)?.State.ToString();

    public Core.Model.Reason? Reason(string name) => shown?.Patches.FirstOrDefault(p => p.Name.Value == name)?.Reason;

    /// <summary>Without gates and without a soak, but for these.</summary>
    public void Configure(string yaml) => Bench.Files.Write(ConfigFile, $"gates: {{settle: 0s, unavailable: apply}}\nsoak: {{duration: 0s}}\n{yaml}");

    public void Drop(Patch patch)
    {
        var hidden = Bench.Files.Write($"{PatchDirectory}/.{patch.FileName}.part", patch.Bytes);
        File.Move(hidden, Bench.Files.Path($"{PatchDirectory}/{patch.FileName}"), overwrite: true);
    }

    public void Remove(Patch patch) => File.Delete(Bench.Files.Path($"{PatchDirectory}/{patch.FileName}"));

    public LoopParts Parts(TimeProvider time)
    {
        var (root, log) = (Bench.Root, Bench.Log);
        var store = new PatchStore(root);
        var pressure = new PressureReader(root);
        readers.Add(pressure);
        return new LoopParts(
            root, BusAddress.At($"unix:path={Bench.Files.Path("/nobody")}"), Kernel, new KernelLog(root), Watcher(), new MountWatch(root), new ClockWatch(), Scanner(), store,
            new StagingArea(root, store), new FileProbe(root, store, Scanner()), new PreflightReader(root), new AppendLog(root, JournalBook.Path),
            new HostBook(new StateFile(root, HostBook.Path), new StateFile(root, HostBook.EndPath), log),
            new ImpactRecorder(new Machine().Read, new MonotonicClock(time), new HistoryBook(new AppendLog(root, HistoryBook.Path), log), log),
            new GateDesk(pressure.Read, new HoldBook(new StateFile(root, HoldBook.Path), log), new InhibitorTable(log), new TriggerWatch(root, log), log),
            new CpuReader(root), new BlockerScanner(root), new Notifier(null, null), static () => new MachineSize(1, 100), new EventFd());

        DirectoryWatcher Watcher()
        {
            Errno Refuse(string call) => !Watches && call == "inotify_init1" ? Errno.EMFILE : Errno.None;
            CallFault.Inject += Refuse;
            try
            {
                return new DirectoryWatcher(root);
            }
            finally
            {
                CallFault.Inject -= Refuse;
            }
        }

        DirectoryScanner Scanner() => new(root, store, static (file, yaml) => ManifestReader.Read(file, yaml) is var r ? (r.Manifest, r.Errors) : default);
    }

    public async Task Start()
    {
        parts = Parts(Time);
        Meter = new DaemonMeter("1", Time);
        var configuration = new Configuration(Bench.Root, KillSwitch.None, Bench.Log, Meter) { AllowActionsUnderRoot = true };
        configuration.Load();
        Loop = new Reconciler(parts, configuration, new MonotonicClock(Time), Meter, Bench.Log, "1");
        Loop.Published += snapshot =>
        {
            Looks++;
            Meter.Publish(snapshot);
            shown = snapshot;
        };
        Loop.Start();
        await Until(() => Loop.FirstLook.IsSet);
    }

    public Task Until(Func<bool> condition) => Limit.Until(
        condition,
        () => $"{string.Join(", ", shown?.Patches.Select(p => $"{p.Name} {p.State} {p.Reason} {p.Detail}") ?? [])}. Kernel: {string.Join(", ", Kernel.Calls)}. {Bench.Said.Text}");

    /// <summary>Until it has scanned and looked once more.</summary>
    public async Task Settled(SharedBus bus)
    {
        var asked = bus.AskForPath();
        Loop!.Post(new Command.Apply(asked.Call, Core.Model.PatchName.Parse("nobody_has_this_name")));
        await Until(() => !asked.IsOpen);
    }

    public void Stop()
    {
        Loop?.Dispose();
        Loop = null;
        parts?.Dispose();
        parts = null;
    }

    public void Dispose()
    {
        Kernel.LoadGate.Set();
        Kernel.LookGate.Set();
        Stop();
        readers.ForEach(r => r.Dispose());
        Bench.Dispose();
    }
}
