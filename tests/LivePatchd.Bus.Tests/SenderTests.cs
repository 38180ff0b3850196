// Signals and who sends them: only the present owner of the name that was asked for is heard, whatever others send to the connection.
using System.Globalization;

namespace LivePatchd.Bus.Tests;

public sealed class SenderTests(TestBus bus)
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private readonly string _name = $"org.example.Senders.N{Guid.NewGuid():N}";

    [Fact]
    public void AddMatch_SignalOfAnotherSender_NotDelivered()
    {
        using var server = new Sample().Serve(bus, _name);
        using var client = bus.Connect();
        var seen = Listen(client);
        Forge(client, 1);
        Assert.Equal(BusWait.TimedOut, client.WaitForSignals(Moment).Value);
        Assert.Empty(seen);
        Emit(server, 2);
        Await(client, seen, 1);
        Assert.Equal([2u], seen);
    }

    [Fact]
    public void AddMatch_NameChangesHands_HearsTheOwnerOfTheMoment()
    {
        using var client = bus.Connect();
        var seen = Listen(client);
        using (var first = new Sample().Serve(bus, _name))
        {
            Emit(first, 1);
            Await(client, seen, 1);
        }

        Forge(client, 2);
        using var second = new Sample().Serve(bus, _name);
        Emit(second, 3);
        Await(client, seen, 2);
        Assert.Equal([1u, 3u], seen);
    }

    [Fact]
    public void AddMatch_NameOwnerChangedByAnybody_NotBelieved()
    {
        using var server = new Sample().Serve(bus, _name);
        using var client = bus.Connect();
        using var other = bus.Connect();
        var seen = Listen(client);
        var left = 0;
        Assert.Null(client.AddMatch("org.freedesktop.DBus", $"member='NameOwnerChanged',arg0='{_name}'", (_, _, _) => left++).Error);
        Send(client, "/org/freedesktop/DBus", "org.freedesktop.DBus.NameOwnerChanged", $"string:{_name}", $"string:{client.UniqueName}", $"string:{other.UniqueName}");
        Send(client, "/org/freedesktop/DBus", "org.freedesktop.DBus.NameOwnerChanged", $"string:{_name}", $"string:{client.UniqueName}", "string:");
        Assert.Equal(BusWait.TimedOut, client.WaitForSignals(Moment).Value);
        Emit(server, 1);
        Await(client, seen, 1);
        Assert.Equal([1u], seen);
        Assert.Equal(0, left);
    }

    [Fact]
    public void Call_SignalsMeanwhile_DeliveredByTheNextWait()
    {
        using var server = new Sample().Serve(bus, _name);
        using var client = bus.Connect();
        var seen = Listen(client);
        Emit(server, 1);
        // Its answer comes after the signal, by the same connection.
        Assert.True(client.GetAll(_name, Sample.Path, Sample.InterfaceName, Sample.Limit).IsOk);
        Assert.Empty(seen);
        Assert.Equal(BusWait.SignalDelivered, client.WaitForSignals(TimeSpan.Zero).Value);
        Assert.Equal([1u], seen);
    }

    [Fact]
    public void AddMatch_SignalLargerThanItsLimit_Dropped()
    {
        using var server = new Sample().Serve(bus, _name);
        using var client = bus.Connect();
        var seen = Listen(client);
        Emit(server, 1, new string('x', SignalMatch.MaxBytes));
        Emit(server, 2);
        Await(client, seen, 1);
        Assert.Equal([2u], seen);
    }

    private List<uint> Listen(BusClient client)
    {
        var seen = new List<uint>();
        Assert.Null(client.AddMatch(_name, $"path='{Sample.Path}',interface='{Sample.InterfaceName}'", (r, _, _) => seen.Add(r.ReadUInt32())).Error);
        return seen;
    }

    private static void Emit(BusServer server, uint count, string why = "why") => server.EmitSignal(Sample.Path, Sample.InterfaceName, "Moved", "us", w =>
    {
        w.WriteUInt32(count);
        w.WriteString(why);
    });

    private void Forge(BusClient victim, uint count) =>
        Send(victim, Sample.Path, $"{Sample.InterfaceName}.Moved", string.Create(CultureInfo.InvariantCulture, $"uint32:{count}"), "string:forged");

    private void Send(BusClient victim, string path, string member, params string[] arguments) =>
        Tool.Succeed("dbus-send", [$"--bus={bus.Address}", "--type=signal", $"--dest={victim.UniqueName}", path, member, .. arguments]);

    private static void Await(BusClient client, List<uint> seen, int count)
    {
        while (seen.Count < count)
        {
            Assert.Equal(BusWait.SignalDelivered, client.WaitForSignals(Sample.Limit).Value);
        }
    }
}
