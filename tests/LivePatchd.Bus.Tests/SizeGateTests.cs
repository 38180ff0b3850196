// Messages that are too large: dropped unread or refused, without harm to those before, between and after them.
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus.Tests;

public sealed class SizeGateTests : IDisposable
{
    private const int MiB = 1 << 20;
    private const string Properties = "org.freedesktop.DBus.Properties";

    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private readonly string _name = $"org.example.Gate.N{Guid.NewGuid():N}";
    private readonly Sample _sample = new();
    private readonly BusServer _server;
    private readonly BusClient _client;

    public SizeGateTests(TestBus bus)
    {
        _server = bus.Serve(_name, s =>
        {
            s.MaxArguments = 4096;
            s.AddObject(Sample.Path, Sample.Interface, _sample);
        });
        _client = bus.Connect();
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData("Get")]
    [InlineData("Set")]
    [InlineData("GetAll")]
    public void Call_StandardInterfaceWithALargeName_RefusedWithoutItsText(string member)
    {
        var refused = Ask(member, new string('x', MiB), Sample.Limit);
        Assert.Equal(BusErrorNames.InvalidArgs, refused.Name);
        Assert.InRange(refused.Message.Length, 1, 200);
        Assert.Equal(0, _server.Dropped);
        Works();
    }

    [Fact]
    public void Call_LargerThanAnyMessageOfOurs_DroppedUnread()
    {
        for (var i = 1; i <= 4; i++)
        {
            Assert.True(Ask("Get", new string('x', 24 * MiB), Moment).IsTimeout);
            Works();
            Assert.Equal(i, _server.Dropped);
        }
    }

    [Fact]
    public void Call_LongPath_RefusedBeforeItIsLookedUp()
    {
        var path = string.Concat(Enumerable.Repeat("/a", 30_000));
        var refused = _client.Call(_name, path, Sample.InterfaceName, "Join", Sample.Limit).Error!;
        Assert.Equal(BusErrorNames.UnknownObject, refused.Name);
        Assert.InRange(refused.Message.Length, 1, 200);
    }

    /// <summary>Sizes around each bound, with descriptors and without, in one stream: what is small is answered, and rightly.</summary>
    [Fact]
    public void Call_AnySizesInTurn_EachIsOneMessage()
    {
        var random = new Random(15);
        int[] sizes = [0, 1, 4000, 5000, 65_535, 65_536, 300_000, SizeGate.MaxBytes - 200, SizeGate.MaxBytes, SizeGate.MaxBytes + 1, 5 * MiB];
        using var wake = new BusWake();
        for (var i = 0; i < 60; i++)
        {
            var size = sizes[random.Next(sizes.Length)] + random.Next(9);
            var withFd = random.Next(3) == 0;
            var sent = _client.Call(_name, Sample.Path, Sample.InterfaceName, "Join", size > 4096 ? TimeSpan.FromMilliseconds(1) : Sample.Limit, w =>
            {
                w.WriteString(new string('x', size));
                if (withFd)
                {
                    w.WriteFd(wake);
                }
                else
                {
                    w.WriteString("y");
                }
            }, "s", static r => r.ReadString());
            Assert.Equal(size < 4096 && !withFd, sent.IsOk);
            Works();
        }
    }

    [Fact]
    public void Signal_Large_DroppedUnreadByAClient()
    {
        var seen = 0;
        Assert.Null(_client.AddMatch(_name, $"path='{Sample.Path}'", (_, _, _) => seen++).Error);
        foreach (var size in new[] { 24 * MiB, 1 })
        {
            _server.EmitSignal(Sample.Path, Sample.InterfaceName, "Moved", "us", w =>
            {
                w.WriteUInt32(1);
                w.WriteString(new string('x', size));
            });
        }

        Assert.Equal(BusWait.SignalDelivered, _client.WaitForSignals(Sample.Limit).Value);
        Assert.Equal(1, seen);
        Works();
    }

    private BusError Ask(string member, string iface, TimeSpan limit)
    {
        var answer = _client.Call(_name, Sample.Path, Properties, member, limit, w =>
        {
            w.WriteString(iface);
            if (member != "GetAll")
            {
                w.WriteString("Version");
            }

            if (member == "Set")
            {
                w.WriteVariant("s", static v => v.WriteString("x"));
            }
        });
        Assert.NotNull(answer.Error);
        return answer.Error;
    }

    private void Works()
    {
        var answer = _client.Call(_name, Sample.Path, Sample.InterfaceName, "Join", Sample.Limit, static w =>
        {
            w.WriteString("left ");
            w.WriteString("right");
        }, "s", static r => r.ReadString());
        Assert.Equal("left right", answer.Value);
    }
}
