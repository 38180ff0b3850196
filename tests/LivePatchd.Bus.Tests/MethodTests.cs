// Method calls: answers now and later, errors, handlers that throw, and every way to answer wrongly.
namespace LivePatchd.Bus.Tests;

public sealed class MethodTests(TestBus bus) : IDisposable
{
    private const string Name = "org.example.Methods";

    private readonly Sample _sample = new();
    private readonly BusClient _client = bus.Connect();
    private BusServer? _server;

    private BusServer Server => _server ??= _sample.Serve(bus, Name);

    public void Dispose()
    {
        _client.Dispose();
        _server?.Dispose();
    }

    [Fact]
    public void A_call_returns_the_handlers_answer()
    {
        _ = Server;
        var joined = _client.Call(Name, Sample.Path, Sample.InterfaceName, "Join", Sample.Limit, WriteTwo("über", "😀"), "s", r => r.ReadString());
        Assert.Equal("über😀", joined.Value);
    }

    [Fact]
    public void A_handler_may_answer_later_from_another_thread() => Assert.Equal("text", Text("Later", w => w.WriteString("text")).Value);

    [Fact]
    public async Task A_kept_call_is_answered_when_the_owner_chooses()
    {
        _ = Server;
        var waiting = Task.Run(() => Text("Keep"), TestContext.Current.CancellationToken);
        BusCall? call = null;
        await Eventually.Becomes(() => _sample.Kept.TryDequeue(out call));
        Assert.False(waiting.IsCompleted);
        Assert.Null(call!.SenderUid);
        Assert.Throws<ObjectDisposedException>(() => call.Reader.AtEnd);
        Assert.True(call.Reply(w => w.WriteString("at last")));
        Assert.False(call.Reply(w => w.WriteString("again")));
        Assert.Equal("at last", (await waiting).Value);
    }

    [Fact]
    public async Task Disposing_an_unanswered_call_answers_it_with_an_error()
    {
        _ = Server;
        var waiting = Task.Run(() => Text("Keep"), TestContext.Current.CancellationToken);
        BusCall? call = null;
        await Eventually.Becomes(() => _sample.Kept.TryDequeue(out call));
        call!.Dispose();
        Assert.Equal(BusErrorNames.Failed, (await waiting).Error?.Name);
    }

    [Fact]
    public async Task A_forgotten_call_is_answered_when_it_is_collected()
    {
        _ = Server;
        var waiting = Task.Run(() => Void("Forget"), TestContext.Current.CancellationToken);
        await Eventually.Becomes(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return waiting.IsCompleted;
        });
        Assert.Equal(BusErrorNames.Failed, (await waiting).Error?.Name);
    }

    [Fact]
    public async Task Disposing_the_server_answers_open_calls()
    {
        var server = Server;
        var waiting = Task.Run(() => Text("Keep"), TestContext.Current.CancellationToken);
        BusCall? call = null;
        await Eventually.Becomes(() => _sample.Kept.TryDequeue(out call));
        server.Dispose();
        Assert.Equal(BusErrorNames.NoReply, (await waiting).Error?.Name);
        Assert.False(call!.Reply(w => w.WriteString("too late")));
        Assert.False(server.Post(() => { }));
    }

    [Fact]
    public void A_handler_that_throws_answers_an_error_without_details()
    {
        _ = Server;
        var result = Void("Throw");
        Assert.Equal(BusErrorNames.Failed, result.Error?.Name);
        Assert.DoesNotContain("secret", result.Error!.Message, StringComparison.Ordinal);
        Assert.Equal("secret detail", Assert.Single(_sample.Faults).Message);
        Assert.Equal("ab", Text("Join", WriteTwo("a", "b")).Value);
    }

    [Fact]
    public void An_answer_of_the_wrong_signature_is_a_fault_of_ours()
    {
        _ = Server;
        Assert.Equal(BusErrorNames.Failed, Text("BadReply").Error?.Name);
        Assert.Contains("\"u\"", Assert.Single(_sample.Faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_keeps_its_name_and_a_text_that_the_bus_can_carry()
    {
        _ = Server;
        var error = Void("Refuse").Error;
        Assert.Equal("org.example.Error.Refused", error?.Name);
        Assert.Equal("no: a\uFFFDb \uFFFD", error?.Message);
    }

    [Fact]
    public void An_error_name_the_bus_refuses_becomes_Failed()
    {
        _ = Server;
        Assert.Equal(BusErrorNames.Failed, Void("BadErrorName").Error?.Name);
        Assert.Single(_sample.Faults);
    }

    [Fact]
    public void A_second_answer_is_ignored()
    {
        _ = Server;
        var first = _client.Call(Name, Sample.Path, Sample.InterfaceName, "Twice", Sample.Limit, null, "b", r => r.ReadBool());
        Assert.True(first.Value);
        Assert.Equal("ab", Text("Join", WriteTwo("a", "b")).Value);
        Assert.Equal("True False False", Assert.Single(_sample.Senders));
    }

    [Fact]
    public void Arguments_of_another_signature_never_reach_the_handler()
    {
        _ = Server;
        Assert.Equal(BusErrorNames.InvalidArgs, Text("Join", w => w.WriteString("one")).Error?.Name);
        Assert.Equal(BusErrorNames.InvalidArgs, Text("Join", w => w.WriteUInt32(1)).Error?.Name);
        Assert.Empty(_sample.Faults);
    }

    [Fact]
    public void A_reader_that_finds_another_type_answers_InvalidArgs()
    {
        _ = Server;
        Assert.Equal(BusErrorNames.InvalidArgs, Void("Misread", w => w.WriteString("text")).Error?.Name);
        Assert.Empty(_sample.Faults);
    }

    [Theory]
    [InlineData("/org/example/nowhere", Sample.InterfaceName, "Join", BusErrorNames.UnknownObject)]
    [InlineData(Sample.Path, "org.example.Other", "Join", BusErrorNames.UnknownMethod)]
    [InlineData(Sample.Path, Sample.InterfaceName, "Nothing", BusErrorNames.UnknownMethod)]
    public void What_is_not_there_is_named_so(string path, string iface, string member, string error)
    {
        _ = Server;
        Assert.Equal(error, _client.Call(Name, path, iface, member, Sample.Limit).Error?.Name);
    }

    [Fact]
    public void A_call_that_names_no_interface_is_refused()
    {
        _ = Server;
        var joined = _client.Call(Name, Sample.Path, null!, "Join", Sample.Limit, WriteTwo("a", "b"), "s", r => r.ReadString());
        Assert.False(joined.IsOk);
        Assert.False(joined.Error.IsTimeout, joined.ToString());
        Assert.Empty(_sample.Faults);
    }

    [Fact]
    public async Task A_caller_that_has_left_costs_nothing()
    {
        _ = Server;
        BusCall? call = null;
        var leaver = bus.Connect();
        _ = leaver.Call(Name, Sample.Path, Sample.InterfaceName, "Keep", TimeSpan.FromMilliseconds(50), null, "s", r => r.ReadString());
        leaver.Dispose();
        await Eventually.Becomes(() => _sample.Kept.TryDequeue(out call));
        Assert.True(call!.Reply(w => w.WriteString("to nobody")));
        Assert.Equal("ab", Text("Join", WriteTwo("a", "b")).Value);
        Assert.Empty(_sample.Faults);
    }

    [Fact]
    public void An_absent_service_is_unreachable()
    {
        var result = _client.Call("org.example.Absent", Sample.Path, Sample.InterfaceName, "Join", Sample.Limit);
        Assert.Equal(BusErrorNames.ServiceUnknown, result.Error?.Name);
        Assert.True(result.Error!.IsUnreachable);
    }

    [Fact]
    public void A_call_that_is_not_answered_in_time_ends()
    {
        _ = Server;
        var result = _client.Call(Name, Sample.Path, Sample.InterfaceName, "Keep", TimeSpan.FromMilliseconds(50), null, "s", r => r.ReadString());
        Assert.True(result.Error?.IsTimeout, result.ToString());
    }

    [Fact]
    public void An_answer_of_another_signature_is_an_error_of_the_call()
    {
        _ = Server;
        var result = _client.Call(Name, Sample.Path, Sample.InterfaceName, "Join", Sample.Limit, WriteTwo("a", "b"), "u", r => r.ReadUInt32());
        Assert.Equal(BusErrorNames.InconsistentMessage, result.Error?.Name);
    }

    private static Action<BusWriter> WriteTwo(string left, string right) => w =>
    {
        w.WriteString(left);
        w.WriteString(right);
    };

    private BusResult<string> Text(string member, Action<BusWriter>? args = null)
    {
        _ = Server;
        return _client.Call(Name, Sample.Path, Sample.InterfaceName, member, Sample.Limit, args, "s", r => r.ReadString());
    }

    private BusResult<bool> Void(string member, Action<BusWriter>? args = null) =>
        _client.Call(Name, Sample.Path, Sample.InterfaceName, member, Sample.Limit, args);
}
