// The daemon's place on the bus: opened when there is a first snapshot, opened again when the bus went away.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Log;
using LivePatchd.Loop;
using LivePatchd.Publish;

namespace LivePatchd.Control;

/// <summary>Without a bus everything else goes on; the daemon keeps trying.</summary>
internal sealed class BusService : IDisposable
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(10);

    private readonly DaemonOptions options;
    private readonly DaemonLog log;
    private readonly ManagerInterface manager;
    private readonly JobInterface job;
    private readonly Lock gate = new();
    private readonly ITimer retry;
    private readonly TaskCompletionSource firstTry = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BusServer? server;
    private ObjectTree? tree;
    private DaemonSnapshot? last;
    private TimeSpan pause = RetryFirst;
    private bool opening;
    private bool disposed;

    public BusService(DaemonOptions options, Action<Command> post, DaemonLog log, TimeProvider clock, Action blockersAsked)
    {
        this.options = options;
        this.log = log;
        var authorizer = new Authorizer();
        manager = new ManagerInterface(post, authorizer, blockersAsked);
        job = new JobInterface(post, authorizer);
        retry = clock.CreateTimer(_ => Open(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>From the thread of the change: the service came up or went away.</summary>
    public event Action? Changed;

    /// <summary>Why the bus is not served; null when it is, and before the first try.</summary>
    public Reason? Trouble { get; private set; }

    /// <summary>Over when the bus is served for the first time, or could not be.</summary>
    public Task FirstTry => firstTry.Task;

    /// <summary>Called by the loop: hands the snapshot to the bus thread and returns.</summary>
    public void Publish(DaemonSnapshot snapshot)
    {
        BusServer? to;
        ObjectTree? objects;
        lock (gate)
        {
            (to, objects) = (server, tree);
            last = snapshot;
            if (to is null && !opening && !disposed && pause == RetryFirst)
            {
                opening = true;
                retry.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
        }
        to?.Post(() => objects!.Update(snapshot));
    }

    public void Dispose()
    {
        BusServer? old;
        lock (gate)
        {
            disposed = true;
            (old, server) = (server, null);
        }
        retry.Dispose();
        old?.Dispose();
    }

    /// <summary>On a thread of the pool, where an exception would end the process.</summary>
    private void Open()
    {
        try
        {
            TryOpen();
        }
        catch (Exception e)
        {
            // A bug. Nothing is served, and nothing else is the worse for it.
            log.Bug("opening the bus", e);
            lock (gate)
            {
                (server, tree, opening) = (null, null, false);
                if (disposed)
                    return;
                Trouble = Reason.BusUnavailable;
                Again();
            }
            Changed?.Invoke();
        }
        finally
        {
            firstTry.TrySetResult();
        }
    }

    private void TryOpen()
    {
        DaemonSnapshot first;
        lock (gate)
        {
            if (disposed || server is not null || last is null)
                return;
            first = last;
        }
        ObjectTree? objects = null;
        var opened = BusServer.Open(options.Bus, BusNames.Service, s =>
        {
            s.MaxArguments = Authorizer.MaxArguments;
            s.Faulted += e => log.Bug("the bus", e);
            s.Disconnected += errno => Lost(s, errno);
            objects = new ObjectTree(s, manager, job, first);
            objects.SetUp();
            // Before the name is taken: from the first call on, what is published reaches the caller before its answer does.
            lock (gate)
                (server, tree) = (s, objects);
        });
        lock (gate)
        {
            opening = false;
            if (!opened.IsOk)
            {
                (server, tree) = (null, null);
                if (disposed)
                    return;
                log.Problem(EventKind.BusProblem, $"The bus cannot be served: {opened.Error.Message}; next try in {pause.TotalSeconds:F0} s", Reason.BusUnavailable, errno: (Errno)opened.Error.Errno);
                Again();
                Trouble = Reason.BusUnavailable;
                Changed?.Invoke();
                return;
            }
            if (disposed || !opened.Value.IsOpen)
            {
                // Ended, or lost again, while it was being opened.
                (server, tree) = (null, null);
                ThreadPool.QueueUserWorkItem(static dead => dead.Dispose(), opened.Value, preferLocal: false);
                if (!disposed)
                    Again();
                return;
            }
            pause = RetryFirst;
            server = opened.Value;
            tree = objects;
            if (Trouble is not null)
            {
                Trouble = null;
                Changed?.Invoke();
            }
            var latest = last;
            if (latest != first)
                server.Post(() => objects!.Update(latest!));
        }
    }

    private void Lost(BusServer old, int errno)
    {
        log.Problem(EventKind.BusProblem, "The bus went away", Reason.BusUnavailable, errno: (Errno)errno);
        lock (gate)
        {
            if (server == old)
                (server, tree) = (null, null);
            Again();
            Trouble = Reason.BusUnavailable;
        }
        Changed?.Invoke();
        ThreadPool.QueueUserWorkItem(static dead => dead.Dispose(), old, preferLocal: false); // Not here: this is its own thread.
    }

    /// <summary>Under the lock.</summary>
    private void Again()
    {
        if (disposed)
            return;
        opening = true;
        retry.Change(pause, Timeout.InfiniteTimeSpan);
        pause = pause * 2 < RetryMax ? pause * 2 : RetryMax;
    }
}
