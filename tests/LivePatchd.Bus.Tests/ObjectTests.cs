// Properties, change signals, object manager and signals, seen through our own client.
namespace LivePatchd.Bus.Tests;

public sealed class ObjectTests : IDisposable
{
    private const string Name = "org.example.Objects";
    private const string ChildPath = "/org/example/child/1";

    private readonly Sample _sample = new();
    private readonly BusServer _server;
    private readonly BusClient _client;

    public ObjectTests(TestBus bus)
    {
        _server = _sample.Serve(bus, Name);
        _client = bus.Connect();
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Fact]
    public void GetAll_gives_plain_values()
    {
        _sample.Count = ulong.MaxValue;
        var all = _client.GetAll(Name, Sample.Path, Sample.InterfaceName, Sample.Limit);
        Assert.Null(all.Error);
        Assert.Equal(["Blockers", "Count", "Extra", "Log", "Quiet", "Version"], all.Value!.Keys.Order());
        Assert.Equal("1.0", all.Value["Version"]);
        Assert.Equal(ulong.MaxValue, all.Value["Count"]);
        Assert.Equal(new[] { "one", "two" }, all.Value["Log"]);
        Assert.Equal(true, all.Value["Quiet"]);
        Assert.Equal(new object[] { new object[] { 42u, "sleeper" }, new object[] { 43u, "" } }, all.Value["Blockers"]);
        var extra = Assert.IsType<Dictionary<string, object>>(all.Value["Extra"]);
        Assert.Equal(true, extra["on"]);
        Assert.Equal(new[] { "a", "b" }, extra["names"]);
    }

    [Fact]
    public void Get_reads_one_property_and_names_an_unknown_one()
    {
        Assert.Equal("1.0", _client.Get(Name, Sample.Path, Sample.InterfaceName, "Version", Sample.Limit).Value);
        Assert.Equal(BusErrorNames.UnknownProperty, _client.Get(Name, Sample.Path, Sample.InterfaceName, "Nothing", Sample.Limit).Error?.Name);
    }

    [Fact]
    public void A_property_cannot_be_set()
    {
        var set = _client.Call(Name, Sample.Path, "org.freedesktop.DBus.Properties", "Set", Sample.Limit, w =>
        {
            w.WriteString(Sample.InterfaceName);
            w.WriteString("Count");
            w.WriteValue(1UL);
        });
        Assert.Equal("org.freedesktop.DBus.Error.PropertyReadOnly", set.Error?.Name);
    }

    [Fact]
    public void A_change_signal_carries_new_values_and_names_of_invalidated_ones()
    {
        var changes = new List<(Dictionary<string, object> Values, string[] Invalidated)>();
        Match($"interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'", (r, path, member) =>
        {
            Assert.Equal((Sample.Path, "PropertiesChanged"), (path, member));
            Assert.Equal(Sample.InterfaceName, r.ReadString());
            changes.Add((r.ReadProperties(), r.ReadStrings()));
        });
        _sample.Count = 7;
        _server.EmitPropertiesChanged(Sample.Path, Sample.InterfaceName);
        _server.EmitPropertiesChanged(Sample.Path, Sample.InterfaceName, "Count", "Log");
        AwaitSignals(() => changes.Count == 1);
        Assert.Equal(7UL, Assert.Single(changes[0].Values).Value);
        Assert.Equal(["Log"], changes[0].Invalidated);
        Assert.Empty(_sample.Faults);
    }

    [Fact]
    public void Announcing_an_unknown_property_is_a_fault_of_ours()
    {
        _server.EmitPropertiesChanged(Sample.Path, Sample.InterfaceName, "Nothing");
        Settle();
        Assert.Single(_sample.Faults);
    }

    [Fact]
    public void The_object_manager_follows_objects_that_come_and_go()
    {
        var seen = new List<string>();
        Match($"interface='org.freedesktop.DBus.ObjectManager'", (r, path, member) =>
        {
            Assert.Equal("/org/example", path);
            var about = r.ReadObjectPath();
            seen.Add($"{member} {about} {(member == "InterfacesRemoved" ? string.Join(' ', r.ReadStrings()) : "")}".TrimEnd());
        });

        var child = new Sample { Count = 99 };
        _server.AddObject(ChildPath, Sample.Interface, child);
        _server.AddObject(ChildPath, new BusInterface("org.example.Second1", [], [new("Id", "u", (w, _) => w.WriteUInt32(1))], []));
        _server.EmitInterfacesAdded(ChildPath, Sample.InterfaceName, "org.example.Second1");
        AwaitSignals(() => seen.Count == 1);

        var objects = _client.GetManagedObjects(Name, "/org/example", Sample.Limit).Value!;
        Assert.Equal(99UL, objects[ChildPath][Sample.InterfaceName]["Count"]);
        Assert.Equal(1u, objects[ChildPath]["org.example.Second1"]["Id"]);
        Assert.Equal(0UL, objects[Sample.Path][Sample.InterfaceName]["Count"]);

        _server.EmitInterfacesRemoved(ChildPath, Sample.InterfaceName, "org.example.Second1");
        _server.RemoveObject(ChildPath);
        AwaitSignals(() => seen.Count == 2);
        Assert.DoesNotContain(ChildPath, _client.GetManagedObjects(Name, "/org/example", Sample.Limit).Value!.Keys);
        Assert.Equal(BusErrorNames.UnknownObject, _client.Get(Name, ChildPath, Sample.InterfaceName, "Count", Sample.Limit).Error?.Name);
        Assert.Equal(
            [$"InterfacesAdded {ChildPath}", $"InterfacesRemoved {ChildPath} {Sample.InterfaceName} org.example.Second1"],
            seen);

        // The path is free again.
        _server.AddObject(ChildPath, Sample.Interface, child);
        Assert.Equal(99UL, _client.Get(Name, ChildPath, Sample.InterfaceName, "Count", Sample.Limit).Value);
        Assert.Empty(_sample.Faults);
    }

    [Fact]
    public void The_same_interface_twice_on_a_path_is_a_fault_and_leaves_the_first()
    {
        _server.AddObject(Sample.Path, Sample.Interface, new Sample { Count = 1 });
        Settle();
        Assert.Single(_sample.Faults);
        Assert.Equal(0UL, _client.Get(Name, Sample.Path, Sample.InterfaceName, "Count", Sample.Limit).Value);
    }

    [Fact]
    public void An_object_may_remove_itself_in_its_own_method()
    {
        var iface = new BusInterface("org.example.Mortal1", [new("End", "", [], "", [], End)], [], []);
        _server.AddObject(ChildPath, iface, _server);
        Assert.Null(_client.Call(Name, ChildPath, "org.example.Mortal1", "End", Sample.Limit).Error);
        Assert.Equal(BusErrorNames.UnknownObject, _client.Call(Name, ChildPath, "org.example.Mortal1", "End", Sample.Limit).Error?.Name);
        Assert.Empty(_sample.Faults);

        static void End(BusCall call)
        {
            ((BusServer)call.State!).RemoveObject(call.Path);
            GC.Collect();
            call.Reply();
        }
    }

    [Fact]
    public void A_getter_that_fails_fails_the_read_without_details()
    {
        _server.AddObject(ChildPath, Sample.Broken);
        Assert.Equal("fine", _client.Get(Name, ChildPath, "org.example.Broken1", "Good", Sample.Limit).Value);
        foreach (var property in new[] { "Throws", "Nothing", "WrongType" })
        {
            var error = _client.Get(Name, ChildPath, "org.example.Broken1", property, Sample.Limit).Error;
            Assert.NotNull(error);
            Assert.False(error.IsTimeout);
            Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        }

        Assert.NotNull(_client.GetAll(Name, ChildPath, "org.example.Broken1", Sample.Limit).Error);
        Assert.Equal("1.0", _client.Get(Name, Sample.Path, Sample.InterfaceName, "Version", Sample.Limit).Value);
    }

    [Fact]
    public void A_signal_reaches_those_who_asked()
    {
        var seen = new List<(uint, string)>();
        Match($"path='{Sample.Path}',interface='{Sample.InterfaceName}',member='Moved'", (r, _, _) => seen.Add((r.ReadUInt32(), r.ReadString())));
        Emit(1);
        Emit(2);
        AwaitSignals(() => seen.Count == 2);
        Assert.Equal([(1u, "why"), (2u, "why")], seen);
    }

    [Fact]
    public void A_signal_of_another_signature_than_announced_is_a_fault_and_not_sent()
    {
        var seen = 0;
        Match($"path='{Sample.Path}',interface='{Sample.InterfaceName}'", (_, _, _) => seen++);
        _server.EmitSignal(Sample.Path, Sample.InterfaceName, "Moved", "us", w => w.WriteUInt32(1));
        Emit(2);
        AwaitSignals(() => seen > 0);
        Assert.Equal(1, seen);
        Assert.Single(_sample.Faults);
    }

    [Fact]
    public void What_a_signal_callback_throws_comes_out_of_the_wait()
    {
        Match($"interface='{Sample.InterfaceName}'", (_, _, _) => throw new InvalidDataException("mine"));
        Emit(1);
        Assert.Throws<InvalidDataException>(() => _client.WaitForSignals(Sample.Limit));
    }

    [Fact]
    public void A_wait_ends_at_its_limit_or_when_cancelled()
    {
        Assert.Equal(BusWait.TimedOut, _client.WaitForSignals(TimeSpan.FromMilliseconds(20)).Value);
        using var cancel = new BusWake();
        cancel.Set();
        Assert.Equal(BusWait.Cancelled, _client.WaitForSignals(Timeout.InfiniteTimeSpan, cancel).Value);
    }

    [Fact]
    public void A_match_rule_that_is_none_is_an_error() => Assert.NotNull(_client.AddMatch(Name, "nonsense", (_, _, _) => { }).Error);

    private void Emit(uint count) => _server.EmitSignal(Sample.Path, Sample.InterfaceName, "Moved", "us", w =>
    {
        w.WriteUInt32(count);
        w.WriteString("why");
    });

    private void Match(string rule, Action<BusReader, string, string> onSignal) => Assert.Null(_client.AddMatch(Name, rule, onSignal).Error);

    // Posted work runs in order: when this has run, what was posted before has run.
    private void Settle()
    {
        using var done = new ManualResetEventSlim();
        Assert.True(_server.Post(done.Set));
        Assert.True(done.Wait(Sample.Limit));
    }

    private void AwaitSignals(Func<bool> done)
    {
        while (!done())
        {
            Assert.Equal(BusWait.SignalDelivered, _client.WaitForSignals(Sample.Limit).Value);
        }
    }
}
