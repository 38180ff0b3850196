// polkit's name on a private bus: answers as told, and remembers what it was asked.
using System.Collections.Concurrent;
using LivePatchd.Bus;

namespace LivePatchd.EndToEnd.Tests;

internal enum PolkitMood
{
    Yes,
    No,

    /// <summary>Yes, once a password may be asked for.</summary>
    GoodPassword,
    BadPassword,

    /// <summary>Keeps the question until the test answers it.</summary>
    Silent,
    Error,
    Garbage,

    /// <summary>Goes from the bus over the question.</summary>
    Leaves,
}

internal sealed record Question(string Sender, string Action, bool Interact, string Id, BusCall Call);

internal sealed class FakePolkit : IDisposable
{
    private readonly PolkitMood mood;
    private readonly BusServer server;

    public FakePolkit(PrivateBus bus, PolkitMood mood)
    {
        this.mood = mood;
        var garbage = mood is PolkitMood.Garbage;
        var iface = new BusInterface(
            "org.freedesktop.PolicyKit1.Authority",
            [
                new BusMethod(
                    "CheckAuthorization", "(sa{sv})sa{ss}us", ["subject", "action", "details", "flags", "id"], garbage ? "(bb)" : "(bba{ss})", ["result"], Check),
                new BusMethod("CancelCheckAuthorization", "s", ["id"], "", [], c => c.Reply()),
            ],
            [],
            []);
        // The bus may not have seen yet that the one before has gone.
        BusResult<BusServer> opened = default;
        SpinWait.SpinUntil(
            () =>
            {
                opened = BusServer.Open(BusAddress.At(bus.Address), "org.freedesktop.PolicyKit1", s => s.AddObject("/org/freedesktop/PolicyKit1/Authority", iface));
                return opened is not { IsOk: false, Error.Name: "org.freedesktop.DBus.Error.FileExists" };
            },
            Limit.Long);
        Assert.True(opened.IsOk, opened.Error?.ToString());
        server = opened.Value!;
    }

    public ConcurrentQueue<Question> Questions { get; } = [];

    public IEnumerable<string> Actions => Questions.Select(q => q.Action["org.livepatchd1.".Length..]);

    public static void Answer(BusCall call, bool authorized, bool challenge = false) => call.Reply(w => w.WriteStruct("bba{ss}", s =>
    {
        s.WriteBool(authorized);
        s.WriteBool(challenge);
        s.WriteArray<string>("{ss}", ["polkit.result"], static (a, key) => a.WriteDictEntry("ss", e =>
        {
            e.WriteString(key);
            e.WriteString("fake");
        }));
    }));

    public void Dispose() => server.Dispose();

    private void Check(BusCall call)
    {
        var subject = call.Reader.ReadStruct("sa{sv}", s =>
        {
            Assert.Equal("system-bus-name", s.ReadString());
            return (string)Assert.Single(s.ReadOptions()).Value;
        });
        var action = call.Reader.ReadString();
        Assert.Empty(call.Reader.ReadArray("{ss}", _ => ""));
        var interact = call.Reader.ReadUInt32() == 1;
        Questions.Enqueue(new Question(subject, action, interact, call.Reader.ReadString(), call));
        switch (mood)
        {
            case PolkitMood.Yes:
                Answer(call, authorized: true);
                break;
            case PolkitMood.No:
                Answer(call, authorized: false);
                break;
            case PolkitMood.GoodPassword or PolkitMood.BadPassword:
                Answer(call, interact && mood is PolkitMood.GoodPassword, challenge: !interact);
                break;
            case PolkitMood.Error:
                call.ReplyError("org.freedesktop.PolicyKit1.Error.Failed", "no such action");
                break;
            case PolkitMood.Garbage:
                call.Reply(w => w.WriteStruct("bb", s =>
                {
                    s.WriteBool(true);
                    s.WriteBool(true);
                }));
                break;
            case PolkitMood.Leaves:
                server.Dispose();
                break;
        }
    }
}
