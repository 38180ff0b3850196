// The small service that most tests call: one object with methods of every kind, properties of every kind and a signal.
using System.Collections.Concurrent;

namespace LivePatchd.Bus.Tests;

internal sealed class Sample
{
    public const string Path = "/org/example/sample";
    public const string InterfaceName = "org.example.Sample1";
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static readonly BusInterface Interface = new(
        InterfaceName,
        methods:
        [
            new("Join", "ss", ["left", "right"], "s", ["joined"], Join),
            new("Later", "s", ["text"], "s", ["text"], Later),
            new("Keep", "", [], "s", ["text"], static call => ((Sample)call.State!).Kept.Enqueue(call)),
            new("Forget", "", [], "", [], static _ => { }),
            new("Throw", "", [], "", [], static _ => throw new InvalidOperationException("secret detail")),
            new("BadReply", "", [], "s", ["text"], static call => call.Reply(static w => w.WriteUInt32(7))),
            new("Refuse", "", [], "", [], static call => call.ReplyError("org.example.Error.Refused", "no: a\0b \uD800")),
            new("BadErrorName", "", [], "", [], static call => call.ReplyError("not a name", "text")),
            new("Twice", "", [], "b", ["second"], Twice),
            new("WhoAmI", "", [], "su", ["sender", "uid"], WhoAmI),
            new("Options", "a{sv}", ["options"], "u", ["count"], Options),
            new("Misread", "s", ["text"], "", [], static call => call.Reader.ReadUInt32()),
        ],
        properties:
        [
            new("Version", "s", static (w, _) => w.WriteString("1.0"), BusPropertyChange.Constant),
            new("Count", "t", static (w, s) => w.WriteUInt64(((Sample)s!).Count)),
            new("Log", "as", static (w, s) => w.WriteStrings(((Sample)s!).Log), BusPropertyChange.EmitsInvalidation),
            new("Quiet", "b", static (w, _) => w.WriteBool(true), BusPropertyChange.NotAnnounced),
            new("Blockers", "a(us)", static (w, s) => w.WriteArray("(us)", ((Sample)s!).Blockers, static (w, b) => w.WriteStruct("us", f =>
            {
                f.WriteUInt32(b.Pid);
                f.WriteString(b.Name);
            }))),
            new("Extra", "a{sv}", static (w, _) => w.WriteOptions(new Dictionary<string, object> { ["on"] = true, ["names"] = new[] { "a", "b" } })),
        ],
        signals: [new("Moved", "us", ["count", "why"])]);

    public static readonly BusInterface Broken = new(
        "org.example.Broken1",
        [],
        [
            new("Good", "s", static (w, _) => w.WriteString("fine")),
            new("Throws", "s", static (_, _) => throw new InvalidOperationException("secret detail")),
            new("Nothing", "s", static (_, _) => { }),
            new("WrongType", "s", static (w, _) => w.WriteUInt32(1)),
        ],
        []);

    public ulong Count
    {
        get
        {
            CountReads++;
            return field;
        }

        set;
    }

    /// <summary>How often that property has been read.</summary>
    public int CountReads { get; private set; }

    public string[] Log { get; set; } = ["one", "two"];

    public (uint Pid, string Name)[] Blockers { get; set; } = [(42, "sleeper"), (43, "")];

    public ConcurrentQueue<BusCall> Kept { get; } = [];

    public ConcurrentQueue<Exception> Faults { get; } = [];

    public ConcurrentQueue<string> Senders { get; } = [];

    /// <summary>A server with this object on it.</summary>
    public BusServer Serve(TestBus bus, string name) => bus.Serve(name, server =>
    {
        server.Faulted += Faults.Enqueue;
        server.AddObjectManager("/org/example");
        server.AddObject(Path, Interface, this);
    });

    private static void Join(BusCall call)
    {
        var left = call.Reader.ReadString();
        var right = call.Reader.ReadString();
        call.Reply(w => w.WriteString(left + right));
    }

    private static void Later(BusCall call)
    {
        var text = call.Reader.ReadString();
        ThreadPool.QueueUserWorkItem(_ => call.Reply(w => w.WriteString(text)));
    }

    private static void Twice(BusCall call)
    {
        var first = call.Reply(w => w.WriteBool(true));
        var second = call.Reply(w => w.WriteBool(false));
        var third = call.ReplyError("org.example.Error.Refused", "too late");
        ((Sample)call.State!).Senders.Enqueue($"{first} {second} {third}");
    }

    private static void WhoAmI(BusCall call) => call.FindSenderUid(Limit, found =>
    {
        if (!found)
        {
            call.ReplyError(BusErrorNames.AccessDenied, "unknown");
            return;
        }

        call.Reply(w =>
        {
            w.WriteString(call.Sender);
            w.WriteUInt32(call.SenderUid!.Value);
        });
    });

    private static void Options(BusCall call)
    {
        var options = call.Reader.ReadOptions();
        call.Reply(w => w.WriteUInt32((uint)options.Count));
    }
}
