// The single-writer loop: wait, take in what happened, observe, plan, run one step, publish.
using System.Collections.Concurrent;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Trust;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux;
using LivePatchd.Linux.Kernel;
using LivePatchd.Log;
using LivePatchd.Metrics;
using LivePatchd.Publish;
using LivePatchd.Systemd;

namespace LivePatchd.Loop;

internal sealed partial class Reconciler : IDisposable
{
    /// <summary>Hints can be lost (inotify overflow, a file system that sends none): the directories are read again this often.</summary>
    private static readonly TimeSpan RescanEvery = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan JournalRetry = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan FailedScanPause = TimeSpan.FromSeconds(30);

    /// <summary>Lines that the kernel writes while our own call is inside it lead to a look only after this: most calls are over by then.</summary>
    private static readonly TimeSpan CallLook = TimeSpan.FromMilliseconds(200);

    private readonly LoopParts parts;
    private readonly Configuration configuration;
    private readonly MonotonicClock clock;
    private readonly DaemonLog log;
    private readonly string version;
    private readonly JournalBook journal;
    private readonly Worker worker;
    private readonly Worker files;
    private readonly KernelLogWindow window = new();
    private readonly Executor executor;
    private readonly ImpactFollower impact;
    private readonly AbortWatch abort;
    private readonly MemoryRest rest = new();
    private readonly LifeTable lives;
    private readonly JobTable jobs = new();
    private readonly CommandDesk desk;
    private readonly ForceDesk force;
    private readonly PreflightDesk preflight;
    private readonly TargetRefusalBook refusals;
    private readonly TrustDesk trust;
    private readonly BlindWatch blindly;
    private readonly BlockerWatch blockers;
    private readonly BootWatch boot;
    private readonly HealthDesk health;
    private readonly ProbationDesk probation;
    private readonly GateWaiters waiters;
    private readonly LoopWait wait;
    private readonly ConcurrentQueue<Command> commands = new();
    private readonly List<(Command.Apply Command, long Scan)> afterScan = [];
    private readonly Queue<Command> forFiles = new();
    private readonly DescriptorDesk descriptors;
    private readonly SlowFiles slow;
    private readonly Thread thread;

    private DesiredState desired = DesiredState.Empty;
    private KernelFacts kernel = null!; // Read before the first turn of the loop.
    private SysResult lastWatch;
    private Arrivals arrivals = Arrivals.None;
    private RunningTransition? transition;
    private DaemonSnapshot? shown;
    private PlannerInput? lastInput;
    private long overruns;
    private Instant? wakeAt;
    private Instant nextScan;
    private Instant begun;
    private bool scanDue = true;
    private bool scanning;
    private bool lookDue = true;
    private bool collectDue;
    private long scans;
    private volatile bool askedToLook;
    private volatile bool stopping;

    public Reconciler(LoopParts parts, Configuration configuration, MonotonicClock clock, DaemonMeter meter, DaemonLog log, string version)
    {
        this.parts = parts;
        this.configuration = configuration;
        this.clock = clock;
        this.log = log;
        this.version = version;
        journal = new JournalBook(parts.Journal, parts.Host, () => CrashDump.Read(CrashFiles.Read(parts.Root)), clock, log);
        worker = new Worker("kernel", parts.Wake.Signal);
        files = new Worker("files", parts.Wake.Signal);
        descriptors = new DescriptorDesk(parts.Staging.TakeIn, parts.Wake.Signal, clock, log);
        slow = new SlowFiles(log);
        impact = new ImpactFollower(parts.Impact);
        boot = new BootWatch(parts.Root, parts.Bus, clock, LookAgain, log);
        health = new HealthDesk(parts.Bus, parts.Root, clock, LookAgain, log);
        probation = new ProbationDesk(health, window, parts.Gates, journal, clock, meter, log);
        preflight = new PreflightDesk(parts.Preflight, clock);
        refusals = new TargetRefusalBook(log);
        blindly = new BlindWatch(parts.Kernel, blind: parts.KernelLog.Fd is null);
        executor = new Executor(parts.Kernel, parts.Store, journal, worker, files, new LoadPlacer(parts.Cpus), window, probation, impact, preflight, meter, log);
        parts.Impact.Changed += LookAgain;
        abort = new AbortWatch(LookAgain);
        parts.Impact.Sampled += abort.Sampled;
        lives = new LifeTable(log, meter);
        waiters = new GateWaiters(meter);
        wait = new LoopWait(parts, clock);
        desk = new CommandDesk(journal, jobs, clock, log);
        force = new ForceDesk(log);
        trust = new TrustDesk(journal, clock, log);
        blockers = new BlockerWatch(parts.Tasks.Scan, LookAgain, clock, log);
        thread = new Thread(Run) { IsBackground = true, Name = "reconcile" };
    }

    /// <summary>On the loop's thread, after every look.</summary>
    public event Action<DaemonSnapshot>? Published;

    /// <summary>On the loop's thread, when a reload has changed where metrics are served.</summary>
    public event Action? MetricsChanged;

    /// <summary>Why a surface is out of service, for the status line; null when all is well.</summary>
    public Func<Reason?>? Trouble { get; set; }

    /// <summary>Set once the first look is published.</summary>
    public ManualResetEventSlim FirstLook { get; } = new();

    public void Start()
    {
        thread.Start();
        boot.Start();
        parts.Impact.Start();
    }

    /// <summary>From any thread.</summary>
    public void Post(Command command)
    {
        commands.Enqueue(command);
        parts.Wake.Signal();
    }

    /// <summary>From any thread: something outside the kernel changed that the status line tells of.</summary>
    public void LookAgain()
    {
        askedToLook = true;
        parts.Wake.Signal();
    }

    /// <summary>From any thread.</summary>
    public void AskForBlockers() => blockers.Ask();

    /// <summary>Ends the loop and leaves the kernel as it is; does not wait for a call that is inside the kernel.</summary>
    public void Stop()
    {
        stopping = true;
        parts.Wake.Signal();
        if (thread.IsAlive)
            thread.Join(TimeSpan.FromSeconds(5));
    }

    public void Dispose()
    {
        Stop();
        worker.Dispose();
        files.Dispose();
        descriptors.Dispose();
        blockers.Dispose();
        boot.Dispose();
        health.Dispose();
        stackOrder?.Dispose();
        journal.Dispose();
        FirstLook.Dispose();
    }

    private void Run()
    {
        try
        {
            kernel = FirstReading();
            // Told to stop before it could read whose boot this is: what the journal says cannot be judged.
            if (stopping)
                return;
            begun = clock.Now();
            parts.Host.Open(kernel.BootId, begun);
            OpenJournal();
            parts.Gates.Open(kernel.BootId, clock.Now());
            Failpoint.At("start.opened");
            while (!stopping)
            {
                parts.Notifier.Watchdog();
                TakeIn();
                // One look a turn: however much there is to look at, commands and the watchdog have their turn too.
                if (lookDue && !stopping)
                {
                    Look();
                    AnswerReloads();
                }
                if (IsAtRest)
                    Tidy();
                if (!lookDue && !stopping)
                    Wait();
            }
        }
        catch (ObjectDisposedException) when (stopping)
        {
            // A stop does not wait for ever for a turn of the loop, and has taken its parts away.
        }
        catch (Exception e)
        {
            // A bug. Ending the process is safe, for stopping changes nothing in the kernel; going on with unknown state is not.
            log.Bug("the reconcile loop", e);
            Environment.Exit(1);
        }
    }

    private void TakeIn()
    {
        var hint = DrainLog();
        if (hint && worker.Step is not null)
            wakeAt = LoopWait.Earliest(wakeAt, clock.Now().After(CallLook)); // Its end wakes the loop anyway.
        else
            lookDue |= hint;
        if (parts.Watcher.Drain() || parts.Mounts.Drain(clock.Now()))
            scanDue = true;
        lookDue |= HearWallClock();
        while (worker.Collect() is { } result)
            Take(result);
        while (files.Collect() is { } read)
        {
            scanning = false;
            Take(read);
        }
        while (commands.TryDequeue(out var command))
            Carry(command);
        foreach (var (ready, over) in descriptors.Collect())
        {
            if (ready is not null)
                Carry(ready);
            else
                Take(over!);
        }
        if (!files.IsBusy && forFiles.TryDequeue(out var next))
            Carry(next);
        var now = clock.Now();
        lookDue |= slow.IsChanged(files.IsBusy, now);
        if (!now.IsBefore(nextScan))
            scanDue = true;
        lookDue |= blindly.IsChanged(Names, IsOnProbation, now);
        if (askedToLook || wakeAt is { } at && !now.IsBefore(at))
            lookDue = true;
        askedToLook = false;
        if (!lookDue && parts.Gates.IsDue(now))
            ReadGates(now);
        if (scanDue && !files.IsBusy)
            Scan(now);
    }

    private void Take(WorkResult result)
    {
        lookDue = true;
        switch (result)
        {
            case WorkResult.Scanned scanned:
                TakeScan(scanned);
                break;
            case WorkResult.Stepped stepped:
                executor.Conclude(stepped, clock.Now());
                force.Conclude(stepped.Step, stepped.Result);
                break;
            case WorkResult.Staged staged:
                Failpoint.At("stage.done");
                CommandDesk.Answer(staged);
                scanDue = true;
                break;
            case WorkResult.Unstaged unstaged:
                Failpoint.At("unstage.done");
                if (unstaged.Result.IsOk)
                    wishes = wishes.WithUnstaged(unstaged.Command.Name);
                CommandDesk.Answer(unstaged);
                scanDue = true;
                break;
            case WorkResult.Surveyed { Facts: { } facts }:
                preflight.Take(facts);
                break;
            case WorkResult.Probed probed:
                PlanDesk.Answer(probed, lastInput, StagingTarget);
                break;
            case WorkResult.Lost lost:
                Lose(lost.Step);
                break;
            case WorkResult.Broken broken:
                log.Bug(broken.Step?.Action ?? "a scan", broken.Exception);
                executor.Broke(broken.Step, clock.Now());
                GiveUp(broken.Step);
                nextScan = clock.Now().After(FailedScanPause);
                break;
        }
    }

    private void Look()
    {
        lookDue = false;
        var seen = parts.Kernel.Observe(Names());
        if (IsBlind(seen))
        {
            wakeAt = clock.Now().After(BlindPause);
            return;
        }
        kernel = seen.Kernel;
        // After the counters: no line is later than its counter.
        var spoken = DrainLog();
        var now = clock.Now();
        blindly.Saw(seen, now);
        var busy = worker.Step;
        arrivals = arrivals.After(seen, journal.Ledger, now);
        foreach (var record in Bookkeeping.Learn(seen, journal.Ledger, busy?.Name, now, arrivals))
        {
            // What cannot be written is learned again at the next look.
            if (!journal.Record(record))
                break;
            log.Note(EventKind.StepTaken, $"{record.Name}: {record.Kind}{(record.By is { } by ? $" by {by}" : "")}", record.Name, record.Digest);
        }
        // Before the first scan the wishes are unknown, and an unknown wish is not an empty one.
        if (scans == 0)
            return;
        if (!boot.IsKnown && now.Since(begun) < BootWatch.FirstPatience)
        {
            wakeAt = begun.After(BootWatch.FirstPatience);
            return;
        }
        JudgeWishes();
        probation.Look(seen, desired, configuration.Settings, now);
        transition = RunningTransition.Next(transition, seen.InTransition, journal.Ledger, busy is not null, now);

        var input = new PlannerInput(
            WithStackOrder(seen), desired, journal.Ledger, configuration.Settings,
            Bar, busy is null ? null : new Busy(busy), now)
        {
            LedgerStands = journal.Stands,
            BootComplete = boot.IsComplete(now, configuration.Settings.BootWait),
            BootStuck = boot.IsStuck(now, configuration.Settings.BootWait),
            BootHolder = boot.Holder,
            BootWaitEnds = boot.Due(now, configuration.Settings.BootWait),
        };
        abort.Follow(seen.InTransition is { State: KernelPatchState.Enabling } moving ? moving.Name : null, input.Settings.Transition);
        if (seen.InTransition is not null)
            input = input with { Size = parts.Size(), Abort = abort.Alarm };
        input = input with { Preflight = preflight.Facts, TargetRefusals = refusals.Standing(seen) };
        blockers.Follow(transition, seen.InTransition, StallDeadlines.For(input.Settings.Transition, input.Size), kernel.BootId, now);
        input = input with { NeverCompletes = blockers.NeverCompletes, BlockersToken = blockers.View?.Token, ForceAsked = force.Asked };
        impact.Look(input);
        (var plan, input) = parts.Gates.Decide(input);
        waiters.Take(plan, parts.Gates);
        var wasBusy = worker.IsBusy;
        var stepped = probation.MayBegin(plan, input) && executor.Run(plan, input);
        force.Look(plan, input, stepped, wasBusy);
        lives.Take(plan, now);
        if (stepped)
        {
            // What was just begun or recorded is part of the picture that is shown.
            if (plan.Steps[0] is PlanStep.Adopt adopted)
                lives.Forget(adopted.Name);
            lookDue = worker.Step is null;
            input = input with { Ledger = journal.Ledger, Busy = worker.Step is { } step ? new Busy(step) : null };
            plan = Planner.Decide(input);
            lives.Take(plan, now);
        }
        preflight.Look(plan);
        lastInput = input;
        jobs.Advance(plan, scans, now);
        foreach (var record in Bookkeeping.Waiting(plan, journal.Ledger, now).Concat(HighWater.Learn(input)).Concat(Bookkeeping.Filed(desired, journal.Ledger, now)))
            journal.Record(record);
        var gateLook = parts.Gates.Wait(waiters.Take(plan, parts.Gates), configuration.Settings.Gates);
        var snapshot = SnapshotBuilder.Build(
            input, plan, lives.Verdicts, lives.Lives,
            new HostFacts(version, configuration.Mode, configuration.Generation, configuration.Errors) { Bars = configuration.Bars, Reading = Reading },
            parts.Gates.View, blockers.View, jobs.Views, parts.Impact.History);
        Failpoint.At("publish.before");
        Published?.Invoke(shown = snapshot);
        Failpoint.At("publish.after");
        desk.AnswerAccepted();
        Failpoint.At("answer.given");
        parts.Gates.Answer();
        trust.Answer();
        executor.Tell();
        rest.Worked(now);
        force.Answer();
        parts.Notifier.Status(StatusText.Of(snapshot, Trouble?.Invoke()));

        wakeAt = LoopWait.Earliest(plan.WakeAt, jobs.NextExpiry, gateLook, probation.Due, input.BootWaitEnds, parts.Host.BarredUntil);
        if (journal.IsBehind && nextScan.Since(now) > JournalRetry)
            nextScan = now.After(JournalRetry);
        lookDue |= spoken && worker.Step is null;
        if (!FirstLook.IsSet)
            FirstLook.Set();
    }
}
