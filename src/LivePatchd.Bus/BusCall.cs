// A method call as its handler sees it: who called what, the arguments, and exactly one answer, now or later, from any thread.
namespace LivePatchd.Bus;

public sealed class BusCall : IDisposable
{
    private readonly BusServer _server;
    private readonly PendingCall _pending;
    private uint? _senderUid;

    internal BusCall(BusServer server, PendingCall pending, ServedInterface served, string sender)
    {
        _server = server;
        _pending = pending;
        Path = served.Path;
        Interface = served.Interface.Name;
        State = served.State;
        Sender = sender;
        AllowsInteraction = pending.AllowsInteraction;
        Reader = new BusReader(0);
    }

    ~BusCall() => Abandon();

    public string Path { get; }

    public string Interface { get; }

    public string Member => _pending.Method.Name;

    /// <summary>The caller's unique bus name; never reused while the bus lives.</summary>
    public string Sender { get; }

    /// <summary>The state given to AddObject for this path and interface.</summary>
    public object? State { get; }

    /// <summary>The arguments; valid until the handler returns.</summary>
    public BusReader Reader { get; private set; }

    /// <summary>The connection the call came by.</summary>
    public BusServer Server => _server;

    /// <summary>The caller can wait while its user is asked for a password.</summary>
    public bool AllowsInteraction { get; }

    /// <summary>What <see cref="FindSenderUid"/> has found; null before that. On any thread that got the call from the handler.</summary>
    public uint? SenderUid => _senderUid;

    /// <summary>
    /// Asks the bus for the effective user of the sender's connection, as it recorded it when that connection was made. It is not waited for: a
    /// wait would read all that others have sent meanwhile into memory. Bus thread only.
    /// </summary>
    /// <param name="done">On the bus thread, once. False means unknown, and unknown means no.</param>
    public void FindSenderUid(TimeSpan limit, Action<bool> done) => _server.Call(
        "org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "GetConnectionUnixUser",
        limit,
        w => w.WriteString(Sender),
        "u",
        static r => r.ReadUInt32(),
        owner =>
        {
            if (owner.IsOk)
            {
                _senderUid = owner.Value;
            }

            done(owner.IsOk);
        });

    /// <summary>Runs another handler on a call that its first one left unanswered, with the arguments from their beginning. Bus thread only.</summary>
    /// <returns>False when the call has its answer already: nothing was run.</returns>
    public bool Resume(Action<BusCall> handler)
    {
        if (!_server.IsOnBusThread || _pending.IsClaimed)
        {
            return false;
        }

        _server.Handle(this, handler);
        return true;
    }

    /// <summary>Runs on the bus thread once the call has been answered or can no longer be. For the handler, once, before it answers.</summary>
    public void WhenEnded(Action ended) => _pending.Ended = ended;

    /// <param name="write">Runs on the bus thread, later if called from another one, and writes the declared result.</param>
    /// <returns>False when the call was answered before.</returns>
    public bool Reply(Action<BusWriter>? write = null) => Answer(() => _server.SendReturn(_pending, write));

    /// <returns>False when the call was answered before.</returns>
    public bool ReplyError(string name, string message) => Answer(() => _server.SendError(_pending, name, message));

    /// <summary>Answers with an error if nothing has answered yet.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Abandon();
    }

    internal BusReader OpenReader() => Reader = _pending.OpenReader();

    private void Abandon()
    {
        if (_pending.TryClaim())
        {
            _server.RunOnBusThread(() => _server.SendError(_pending, BusErrorNames.Failed, "The call was given up without an answer."));
        }
    }

    private bool Answer(Action send)
    {
        if (!_pending.TryClaim())
        {
            return false;
        }

        _server.RunOnBusThread(send);
        Dispose();
        return true;
    }
}
