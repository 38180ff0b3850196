// Brings the daemon up and down inside the generic host: lock, configuration, loop, bus, metrics; ready after the first look.
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Linux;
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
using LivePatchd.Log;
using LivePatchd.Loop;
using LivePatchd.Metrics;
using LivePatchd.Publish;
using LivePatchd.Systemd;

namespace LivePatchd.Hosting;

/// <param name="kernel">Null for the running kernel; tests bring their own.</param>
/// <param name="pressure">Null for what the root's files say.</param>
internal sealed class DaemonService(DaemonOptions options, DaemonLog log, TimeProvider time, IKernel? kernel = null, Func<Instant, PressureSample>? pressure = null) : IHostedService, IAsyncDisposable
{
    /// <summary>READY waits for the first look, but not longer than a start should take: a slow disk is reported by STATUS, not by a failed unit.</summary>
    private static readonly TimeSpan ReadyPatience = TimeSpan.FromSeconds(20);

    private readonly string version = VersionText.Value;
    private readonly DaemonMeter meter = new(VersionText.Value, time);
    private Reconciler? loop;
    private LoopParts? parts;
    private PressureReader? impactReader;
    private PressureReader? gateReader;
    private BusService? bus;
    private MetricsEndpoint? endpoint;
    private TextFile? textFile;
    private Configuration? configuration;

    public MetricsEndpoint? Endpoint => endpoint;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var root = options.Root;
        configuration = new Configuration(root, KillSwitch.Read(root), log, meter) { AllowActionsUnderRoot = kernel is not null };
        configuration.Load();

        var store = new PatchStore(root);
        new Leftovers(root, store).Sweep(configuration.Settings.Directories);
        Failpoint.At("start.swept");
        // The recorder's thread has one of its own.
        impactReader = new PressureReader(root);
        gateReader = new PressureReader(root);
        parts = new LoopParts(
            root,
            options.Bus,
            kernel ?? new LinuxKernel(root),
            new KernelLog(root),
            new DirectoryWatcher(root),
            new MountWatch(root),
            new ClockWatch(),
            Scanner(),
            store,
            new StagingArea(root, store),
            new FileProbe(root, store, Scanner()),
            new PreflightReader(root),
            new AppendLog(root, JournalBook.Path),
            new HostBook(new StateFile(root, HostBook.Path), new StateFile(root, HostBook.EndPath), log),
            new ImpactRecorder(
                pressure ?? impactReader.Read, new MonotonicClock(time), new HistoryBook(new AppendLog(root, HistoryBook.Path), log), log),
            new GateDesk(gateReader.Read, new HoldBook(new StateFile(root, HoldBook.Path), log), new InhibitorTable(log), new TriggerWatch(root, log), log),
            new CpuReader(root),
            new BlockerScanner(root),
            Notifier.FromEnvironment(),
            () => MachineSizeReader.Read(root),
            new EventFd());
        DirectoryScanner Scanner() =>
            new(root, store, static (file, yaml) => ManifestReader.Read(file, yaml) is var r ? (r.Manifest, r.Errors) : default);

        // Two sources cannot be compared with each other.
        if (pressure is null)
            parts.Gates.Sampled += sample => parts.Impact.RecordIdle(sample);
        loop = new Reconciler(parts, configuration, new MonotonicClock(time), meter, log, version);
        var diagnosis = new DiagnosisDesk(root, configuration, time, log);
        bus = new BusService(options, Take, log, time, loop.AskForBlockers);
        endpoint = new MetricsEndpoint(root, log, meter, time);
        textFile = new TextFile(root, log, meter, time);
        bus.Changed += loop.LookAgain;
        loop.Trouble = () => bus.Trouble;
        loop.Published += meter.Publish;
        loop.Published += snapshot => Shown = snapshot;
        loop.Published += diagnosis.Follow;
        loop.Published += bus.Publish;
        loop.MetricsChanged += () => _ = RestartEndpoint();
        loop.Start();
        // Told to stop before it is ready, it is not ready, and that is no failure to start.
        await endpoint.StartAsync(configuration.Settings.Metrics).ConfigureAwait(false);
        textFile.Start(configuration.Settings.Metrics.TextFile);
        if (await Task.Run(LooksFirst, CancellationToken.None).ConfigureAwait(false))
            log.Note(EventKind.Started, $"livepatchd {version} is ready");

        bool LooksFirst()
        {
            try
            {
                loop.FirstLook.Wait(ReadyPatience, cancellationToken);
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }

        void Take(Command command)
        {
            if (command is Command.Diagnose asked)
                diagnosis.Take(asked);
            else
                loop.Post(command);
        }
    }

    /// <summary>What all surfaces were last given; null before the first look.</summary>
    public DaemonSnapshot? Shown { get; private set; }

    public void Reload() => loop?.Post(new Command.Reload(null));

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        log.Note(EventKind.Stopping, "Stopping; the kernel is left as it is");
        loop?.Stop();
        if (parts is not null)
            parts.Host.End(await ShutdownQuestion.Ask(options.Root, options.Bus, time).ConfigureAwait(false));
        bus?.Dispose();
        textFile?.Stop();
        if (endpoint is not null)
            await endpoint.StopAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        loop?.Dispose();
        bus?.Dispose();
        if (endpoint is not null)
            await endpoint.DisposeAsync().ConfigureAwait(false);
        textFile?.Dispose();
        parts?.Dispose();
        impactReader?.Dispose();
        gateReader?.Dispose();
    }

    private async Task RestartEndpoint()
    {
        try
        {
            textFile!.Start(configuration!.Settings.Metrics.TextFile);
            await endpoint!.StartAsync(configuration.Settings.Metrics).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            log.Bug("the metrics endpoint", e);
        }
    }
}
