// Calls that a service makes itself: each ends exactly once, on the bus thread, whatever becomes of the peer; and calls taken up again later.
using System.Collections.Concurrent;

namespace LivePatchd.Bus.Tests;

public sealed class OutgoingTests(TestBus bus) : IDisposable
{
    private const string Asker = "org.example.Asker";
    private const string Peer = "org.example.Peer";

    private readonly Sample _sample = new();
    private readonly ConcurrentQueue<BusResult<string>> _answers = [];
    private readonly ConcurrentQueue<Exception> _faults = [];
    private BusServer? _asker;
    private BusServer? _peer;

    private BusServer Server => _asker ??= bus.Serve(Asker, s => s.Faulted += _faults.Enqueue);

    public void Dispose()
    {
        _asker?.Dispose();
        _peer?.Dispose();
    }

    [Fact]
    public async Task The_answer_comes_on_the_bus_thread()
    {
        ServePeer();
        Thread? asking = null;
        Thread? answered = null;
        Server.Post(() =>
        {
            asking = Thread.CurrentThread;
            Server.Call(Peer, Sample.Path, Sample.InterfaceName, "Join", Sample.Limit, WriteTwo, "s", r => r.ReadString(), answer =>
            {
                answered = Thread.CurrentThread;
                _answers.Enqueue(answer);
            });
        });
        Assert.Equal("ab", (await Answer()).Value);
        Assert.Same(asking, answered);
    }

    [Theory]
    [InlineData("Throw", "", BusErrorNames.Failed)]
    [InlineData("Join", "s", "org.freedesktop.DBus.Error.InvalidArgs")]
    [InlineData("Missing", "", BusErrorNames.UnknownMethod)]
    public async Task The_peers_error_is_the_answer(string member, string text, string error)
    {
        ServePeer();
        Ask(member, text.Length == 0 ? null : w => w.WriteString(text), "");
        Assert.Equal(error, (await Answer()).Error?.Name);
    }

    [Fact]
    public async Task An_answer_of_another_signature_is_an_error()
    {
        ServePeer();
        Ask("Join", WriteTwo, "u");
        Assert.Equal(BusErrorNames.InconsistentMessage, (await Answer()).Error?.Name);
    }

    [Fact]
    public async Task A_peer_that_says_nothing_is_a_timeout_and_its_late_answer_is_dropped()
    {
        ServePeer();
        Ask("Keep", null, "s", TimeSpan.FromMilliseconds(50));
        Assert.True((await Answer()).Error?.IsTimeout);
        Assert.True(_sample.Kept.TryDequeue(out var kept));
        kept.Reply(w => w.WriteString("late"));
        Ask("Join", WriteTwo, "s");
        Assert.Equal("ab", (await Answer()).Value);
        Assert.Empty(_answers);
    }

    [Fact]
    public async Task A_peer_that_is_not_there_is_unreachable()
    {
        Ask("Join", WriteTwo, "s");
        Assert.True((await Answer()).Error?.IsUnreachable);
    }

    [Fact]
    public async Task A_peer_that_leaves_in_mid_call_is_an_error_at_once()
    {
        ServePeer();
        Ask("Keep", null, "s", Timeout.InfiniteTimeSpan);
        await Eventually.Becomes(() => _sample.Kept.Count == 1);
        _peer!.Dispose();
        Assert.False((await Answer()).IsOk);
    }

    [Fact]
    public async Task What_is_open_when_the_service_ends_is_answered_as_disconnected()
    {
        ServePeer();
        Ask("Keep", null, "s", Timeout.InfiniteTimeSpan);
        await Eventually.Becomes(() => _sample.Kept.Count == 1);
        Server.Dispose();
        Assert.Equal(BusErrorNames.Disconnected, (await Answer()).Error?.Name);
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task A_call_made_while_the_service_ends_is_answered_too()
    {
        ServePeer();
        Server.Post(() => Call("Keep", null, "s", Timeout.InfiniteTimeSpan, _ => Call("Keep", null, "s", Timeout.InfiniteTimeSpan, _answers.Enqueue)));
        await Eventually.Becomes(() => _sample.Kept.Count == 1);
        Server.Dispose();
        Assert.Equal(BusErrorNames.Disconnected, (await Answer()).Error?.Name);
    }

    [Fact]
    public async Task A_callback_that_throws_costs_itself_only()
    {
        ServePeer();
        Server.Post(() => Call("Join", WriteTwo, "s", Sample.Limit, _ => throw new InvalidOperationException("mine")));
        await Eventually.Becomes(() => !_faults.IsEmpty);
        Ask("Join", WriteTwo, "s");
        Assert.Equal("ab", (await Answer()).Value);
    }

    [Fact]
    public void Another_thread_may_not_call() =>
        Assert.Throws<InvalidOperationException>(() => Call("Join", WriteTwo, "s", Sample.Limit, _answers.Enqueue));

    [Fact]
    public async Task A_call_is_taken_up_again_with_its_arguments_and_its_sender()
    {
        ServePeer();
        var ended = 0;
        var ran = new ConcurrentQueue<bool>();
        var iface = new BusInterface("org.example.Slow1", [new("Say", "s", ["text"], "s", ["text"], call =>
        {
            Assert.Equal("hello", call.Reader.ReadString());
            call.WhenEnded(() => Interlocked.Increment(ref ended));
            call.FindSenderUid(Sample.Limit, found =>
            {
                ran.Enqueue(call.Resume(c => c.Reply(w => w.WriteString(c.Reader.ReadString() + (found && c.SenderUid is not null)))));
                ran.Enqueue(call.Resume(c => c.Reply(w => w.WriteString("twice"))));
            });
        })], [], []);
        Server.AddObject("/slow", iface);
        using var client = bus.Connect();
        var said = client.Call(Asker, "/slow", iface.Name, "Say", Sample.Limit, w => w.WriteString("hello"), "s", r => r.ReadString());
        Assert.Equal("helloTrue", said.Value);
        // The answer is on its way before the handler says how it went.
        await Eventually.Becomes(() => ended == 1 && ran.Count == 2);
        Assert.Equal([true, false], ran);
    }

    [Fact]
    public async Task A_resumed_handler_that_throws_is_answered_with_an_error()
    {
        var iface = new BusInterface("org.example.Slow1", [new("Say", "s", ["text"], "s", ["text"], call =>
            call.Server.Post(() => call.Resume(c => c.Reader.ReadUInt32())))], [], []);
        Server.AddObject("/slow", iface);
        using var client = bus.Connect();
        var said = client.Call(Asker, "/slow", iface.Name, "Say", Sample.Limit, w => w.WriteString("hello"), "s", r => r.ReadString());
        Assert.Equal(BusErrorNames.InvalidArgs, said.Error?.Name);
        await Eventually.Becomes(() => Server.IsOpen);
    }

    [Fact]
    public void The_caller_says_whether_its_user_may_be_asked()
    {
        var iface = new BusInterface("org.example.Flag1", [new("Flag", "", [], "b", ["flag"], c => c.Reply(w => w.WriteBool(c.AllowsInteraction)))], [], []);
        Server.AddObject("/flag", iface);
        using var client = bus.Connect();
        BusResult<bool> Flag() => client.Call(Asker, "/flag", iface.Name, "Flag", Sample.Limit, null, "b", r => r.ReadBool());
        Assert.False(Flag().Value);
        client.AllowInteraction();
        Assert.True(Flag().Value);
    }

    private static void WriteTwo(BusWriter writer)
    {
        writer.WriteString("a");
        writer.WriteString("b");
    }

    private void ServePeer() => _peer = _sample.Serve(bus, Peer);

    private void Ask(string member, Action<BusWriter>? args, string signature, TimeSpan? timeout = null) =>
        Server.Post(() => Call(member, args, signature, timeout ?? Sample.Limit, _answers.Enqueue));

    private void Call(string member, Action<BusWriter>? args, string signature, TimeSpan timeout, Action<BusResult<string>> done) =>
        Server.Call(Peer, Sample.Path, Sample.InterfaceName, member, timeout, args, signature, r => signature == "s" ? r.ReadString() : "", done);

    private async Task<BusResult<string>> Answer()
    {
        var answer = default(BusResult<string>);
        await Eventually.Becomes(() => _answers.TryDequeue(out answer));
        return answer;
    }
}
