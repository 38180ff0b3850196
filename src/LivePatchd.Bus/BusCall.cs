// A method call as its handler sees it: who called what, the arguments, and exactly one answer, now or later, from any thread.
namespace LivePatchd.Bus;

public sealed class BusCall : IDisposable
{
    private readonly BusServer _server;
    private readonly PendingCall _pending;

    internal BusCall(BusServer server, PendingCall pending, ServedInterface served, string sender, BusReader reader)
    {
        _server = server;
        _pending = pending;
        Path = served.Path;
        Interface = served.Interface.Name;
        State = served.State;
        Sender = sender;
        Reader = reader;
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
    public BusReader Reader { get; }

    /// <summary>
    /// The effective user of the sender's connection, as the bus recorded it when that connection was made.
    /// Inside the handler only; false means unknown, and unknown means no.
    /// </summary>
    public bool TryGetSenderUid(out uint uid)
    {
        uid = uint.MaxValue;
        return _server.IsOnBusThread && _pending.TryGetSenderUid(out uid);
    }

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
