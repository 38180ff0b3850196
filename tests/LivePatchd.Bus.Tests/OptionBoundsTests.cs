// The limits on options from outside: one under each limit is taken, one over it is InvalidArgs.
namespace LivePatchd.Bus.Tests;

public sealed class OptionBoundsTests(TestBus bus) : IDisposable
{
    private const string Name = "org.example.Options";

    private readonly BusServer _server = new Sample().Serve(bus, Name);
    private readonly BusClient _client = bus.Connect();

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(BusReader.MaxOptions, true)]
    [InlineData(BusReader.MaxOptions + 1, false)]
    public void Number_of_options(int count, bool taken) =>
        Expect(taken, count, w => w.WriteOptions(Enumerable.Range(0, count).Select(i => KeyValuePair.Create($"k{i}", (object)i))));

    [Theory]
    [InlineData(BusReader.MaxOptionBytes, true)]
    [InlineData(BusReader.MaxOptionBytes + 1, false)]
    public void Length_of_names_and_texts_and_bytes(int length, bool taken)
    {
        Expect(taken, 1, w => w.WriteOptions([KeyValuePair.Create(new string('k', length), (object)true)]));
        Expect(taken, 1, w => w.WriteOptions([KeyValuePair.Create("k", (object)new string('v', length))]));
        Expect(taken, 1, w => w.WriteOptions([KeyValuePair.Create("k", (object)new byte[length])]));
        Expect(taken, 1, w => w.WriteArray("{sv}", ["k"], (a, key) => a.WriteDictEntry("sv", e =>
        {
            e.WriteString(key);
            e.WriteVariant("o", v => v.WriteObjectPath("/" + new string('p', length - 1)));
        })));
    }

    [Fact]
    public void Length_is_counted_in_octets() =>
        Expect(false, 1, w => w.WriteOptions([KeyValuePair.Create("k", (object)new string('é', BusReader.MaxOptionBytes / 2 + 1))]));

    [Fact]
    public void Number_of_values_inside_options() =>
        Expect(false, 1, w => w.WriteOptions([KeyValuePair.Create("k", (object)Enumerable.Repeat("x", 2000).ToArray())]));

    [Theory]
    [InlineData(5, true)]
    [InlineData(20, false)]
    [InlineData(60, false)]
    public void Depth_of_nesting(int depth, bool taken) => Expect(taken, 1, w => w.WriteArray("{sv}", ["k"], (a, key) => a.WriteDictEntry("sv", e =>
    {
        e.WriteString(key);
        Nest(e, depth);
    })));

    [Fact]
    public void A_name_given_twice() => Expect(false, 2, w => w.WriteOptions([new("k", true), new("k", false)]));

    [Fact]
    public void A_descriptor_is_no_option() => Expect(false, 1, w => w.WriteArray("{sv}", ["k"], (a, key) => a.WriteDictEntry("sv", e =>
    {
        using var wake = new BusWake();
        e.WriteString(key);
        e.WriteVariant("h", v => v.WriteFd(wake));
    })));

    private static void Nest(BusWriter writer, int depth) => writer.WriteVariant(depth == 0 ? "b" : "v", w =>
    {
        if (depth == 0)
        {
            w.WriteBool(true);
        }
        else
        {
            Nest(w, depth - 1);
        }
    });

    private void Expect(bool taken, int count, Action<BusWriter> write)
    {
        var result = _client.Call(Name, Sample.Path, Sample.InterfaceName, "Options", Sample.Limit, write, "u", r => r.ReadUInt32());
        if (taken)
        {
            Assert.Equal((uint)count, result.Value);
            Assert.Null(result.Error);
        }
        else
        {
            Assert.Equal(BusErrorNames.InvalidArgs, result.Error?.Name);
        }
    }
}
