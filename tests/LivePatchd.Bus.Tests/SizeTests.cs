// How much a message holds is told before it is kept, whatever its values are.
namespace LivePatchd.Bus.Tests;

public sealed class SizeTests(TestBus bus) : IDisposable
{
    private const string Name = "org.example.Size";
    private const int Limit = 1000;

    private readonly BusServer _server = bus.Serve(Name, s => s.AddObject(Sample.Path, new BusInterface(
        "org.example.Size1",
        [
            new("Text", "s", ["text"], "b", ["fits"], Fits),
            new("Any", "v", ["value"], "b", ["fits"], Fits),
            new("Many", "tbhs", ["number", "flag", "fd", "text"], "b", ["fits"], Fits),
        ],
        [],
        [])));

    private readonly BusClient _client = bus.Connect();

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(Limit - 1, true)]
    [InlineData(Limit, false)]
    [InlineData(1 << 20, false)]
    public void A_text_counts_by_its_length(int length, bool fits) => Expect(fits, "Text", w => w.WriteString(new string('x', length)));

    [Fact]
    public void Everything_else_counts_too()
    {
        Expect(true, "Any", w => w.WriteVariant("a{sv}", v => v.WriteOptions([new("k", true), new("l", new[] { "a", "b" })])));
        Expect(false, "Any", w => w.WriteVariant("a{sv}", v => v.WriteOptions([new("k", new string('x', Limit))])));
        Expect(false, "Any", w => w.WriteVariant("au", v => v.WriteArray("u", Enumerable.Range(0, Limit), static (a, i) => a.WriteUInt32((uint)i))));
        Expect(false, "Any", w => w.WriteVariant("aas", v => v.WriteArray("as", Enumerable.Range(0, Limit), static (a, _) => a.WriteStrings([]))));
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(Limit, false)]
    public void Numbers_and_descriptors_are_passed_over(int length, bool fits)
    {
        using var wake = new BusWake();
        Expect(fits, "Many", w =>
        {
            w.WriteUInt64(1);
            w.WriteBool(true);
            w.WriteFd(wake);
            w.WriteString(new string('x', length));
        });
    }

    // Read to the end or not, the arguments can be had from their beginning.
    private static void Fits(BusCall call)
    {
        var fits = call.Reader.FitsInto(Limit);
        call.Resume(c => c.Reply(w => w.WriteBool(fits && c.Reader.FitsInto(Limit))));
    }

    private void Expect(bool fits, string method, Action<BusWriter> write)
    {
        var result = _client.Call(Name, Sample.Path, "org.example.Size1", method, Sample.Limit, write, "b", r => r.ReadBool());
        Assert.Null(result.Error);
        Assert.Equal(fits, result.Value);
    }
}
