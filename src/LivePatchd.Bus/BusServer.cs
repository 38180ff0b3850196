// A named service on a bus: one thread owns the connection, and everything sd-bus does happens on it.
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

public sealed partial class BusServer : IDisposable
{
    private readonly BusHandle _bus;
    private readonly BusWake _wake;
    private readonly Thread _thread;
    private readonly CallFilter _filter;
    private readonly Lock _gate = new();
    private readonly Queue<Action> _posted = new();
    private bool _closed;
    private bool _running;
    private volatile bool _stopping;
    private Thread _owner = Thread.CurrentThread;

    private BusServer(BusHandle bus, BusWake wake, string name)
    {
        _bus = bus;
        _wake = wake;
        Name = name;
        _filter = new CallFilter(this);
        _thread = new Thread(Run) { IsBackground = true, Name = "bus" };
    }

    /// <summary>On the bus thread, once, with a positive errno, when the bus has gone. Nothing is left to serve: dispose, and open anew.</summary>
    public event Action<int>? Disconnected;

    /// <summary>What handlers, getters and posted actions threw. On the bus thread.</summary>
    public event Action<Exception>? Faulted;

    public string Name { get; }

    /// <summary>Calls whose arguments take more are refused, whoever serves them: texts by their length, all else by eight. Of setUp.</summary>
    public int MaxArguments { get; set; } = int.MaxValue;

    /// <summary>Calls and signals of more than 2 MiB, which were dropped unread. On the bus thread.</summary>
    public long Dropped => _bus.Gate?.Dropped ?? 0;

    /// <summary>False once the connection is closed, which may be before Open has returned to its caller.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_gate)
            {
                return !_closed;
            }
        }
    }

    internal bool IsOnBusThread => Thread.CurrentThread == Volatile.Read(ref _owner);

    /// <summary>Connects, sets up and takes the name, in this order, so that no caller finds the name without its objects.</summary>
    /// <param name="setUp">Subscribes to the events and adds the first objects; runs on the calling thread.</param>
    /// <returns>
    /// An error with errno EEXIST when another process owns the name, EACCES when the bus policy refuses it,
    /// ECANCELED when the server was disposed meanwhile by whom <paramref name="setUp"/> gave it to, EMFILE or ENFILE when no file descriptor
    /// is left, EAGAIN when the host has no thread for it. What <paramref name="setUp"/> throws, this throws.
    /// </returns>
    public static BusResult<BusServer> Open(BusAddress address, string name, Action<BusServer>? setUp = null) =>
        Open(address, name, setUp, static thread => thread.Start());

    internal static BusResult<BusServer> Open(BusAddress address, string name, Action<BusServer>? setUp, Action<Thread> start)
    {
        var opened = BusConnector.Open(address);
        if (!opened.IsOk)
        {
            return opened.Error;
        }

        var wake = BusWake.Make();
        if (!wake.IsOk)
        {
            opened.Value.Dispose();
            return wake.Error;
        }

        var server = new BusServer(opened.Value, wake.Value, name);
        try
        {
            server._filter.Add(opened.Value);
            setUp?.Invoke(server);
        }
        catch
        {
            server.Release(answer: false);
            throw;
        }

        int result;
        using (SignalBlock.Enter())
        {
            result = SdBus.sd_bus_request_name(server._bus, name, 0);
        }

        if (result < 0)
        {
            server.Release(answer: false);
            var error = NativeError.FromErrno(result);
            return result == -BusErrno.Exists ? error with { Message = $"Another process owns the bus name {name}." } : error;
        }

        if (server.Start(start) is not { } failure)
        {
            return server;
        }

        server.Release(answer: false);
        return failure;
    }

    /// <summary>Runs the action on the bus thread after those posted before it.</summary>
    /// <returns>False when the connection is closed: the action will not run.</returns>
    public bool Post(Action action)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            _posted.Enqueue(action);
            _wake.Set();
            return true;
        }
    }

    /// <summary>Sends what is posted, answers open calls with an error and leaves the bus; one that is not served yet is ended by its Open.</summary>
    public void Dispose()
    {
        bool running;
        lock (_gate)
        {
            _stopping = true;
            running = _running;
            if (!_closed)
            {
                _wake.Set();
            }
        }

        if (running && !IsOnBusThread)
        {
            _thread.Join();
        }
    }

    /// <summary>Null when it runs.</summary>
    private BusError? Start(Action<Thread> start)
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return NativeError.FromErrno(-BusErrno.Cancelled) with { Message = $"{Name} was disposed while it was being opened." };
            }

            var opener = _owner;
            Volatile.Write(ref _owner, _thread);
            try
            {
                start(_thread);
            }
            catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
            {
                // What the runtime makes of EAGAIN. It is this thread's to release again.
                Volatile.Write(ref _owner, opener);
                return NativeError.FromErrno(-BusErrno.TryAgain) with { Message = "The host has no thread left for the bus." };
            }

            _running = true;
            return null;
        }
    }

    internal void RunOnBusThread(Action action)
    {
        if (IsOnBusThread)
        {
            action();
        }
        else
        {
            Post(action);
        }
    }
}
