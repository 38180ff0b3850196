// Serves one method whose answer is its arguments, written back by the test's own writer.
namespace LivePatchd.Bus.Tests;

internal static class RoundTrip
{
    private const string Path = "/org/example/echo";
    private const string InterfaceName = "org.example.Echo1";

    /// <summary>Client writes, server reads and writes again, client reads: every direction of the layer once.</summary>
    public static BusResult<T> Of<T>(TestBus bus, string signature, Action<BusWriter> write, Func<BusReader, T> read, Action<BusWriter, T> writeBack)
    {
        var iface = new BusInterface(
            InterfaceName,
            [
                new("Echo", signature, [], signature, [], call =>
                {
                    var value = read(call.Reader);
                    Assert.True(call.Reader.AtEnd);
                    call.Reply(w => writeBack(w, value));
                }),
            ],
            [],
            []);
        var name = $"org.example.Echo.N{Guid.NewGuid():N}";
        var faults = new List<Exception>();
        using var server = bus.Serve(name, s =>
        {
            s.Faulted += faults.Add;
            s.AddObject(Path, iface);
        });
        using var client = bus.Connect();
        var result = client.Call(name, Path, InterfaceName, "Echo", Sample.Limit, write, signature, read);
        Assert.Empty(faults);
        return result;
    }
}
