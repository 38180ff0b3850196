// Many calls, from one peer and from several at once, with answers from other threads; and what an idle or closed server costs.
using System.Globalization;

namespace LivePatchd.Bus.Tests;

[CollectionDefinition(nameof(LoadTests), DisableParallelization = true)]
[Collection(nameof(LoadTests))]
public sealed class LoadTests(TestBus bus)
{
    private const string Name = "org.example.Load";

    [Fact]
    public void A_thousand_calls_in_a_row()
    {
        using var server = new Sample().Serve(bus, Name);
        using var client = bus.Connect();
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal($"{i}", Call(client, "Later", $"{i}").Value);
        }
    }

    [Fact]
    public async Task Four_peers_at_once_get_their_own_answers()
    {
        var sample = new Sample();
        using var server = sample.Serve(bus, Name);
        using var stop = new CancellationTokenSource();
        var noise = Task.Run(
            () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    server.AddObject($"/org/example/noise/n{i}", Sample.Interface, sample);
                    server.EmitInterfacesAdded($"/org/example/noise/n{i}", Sample.InterfaceName);
                    server.EmitPropertiesChanged(Sample.Path, Sample.InterfaceName, "Count");
                    server.RemoveObject($"/org/example/noise/n{i}");
                    // One round at a time: the queue of posted work has no bound of its own.
                    using var done = new ManualResetEventSlim();
                    server.Post(done.Set);
                    Assert.True(done.Wait(Sample.Limit));
                }
            },
            TestContext.Current.CancellationToken);
        var peers = Enumerable.Range(0, 4).Select(peer => Task.Run(() =>
        {
            using var client = bus.Connect();
            for (var i = 0; i < 250; i++)
            {
                Assert.Equal($"{peer}.{i}", Call(client, i % 2 == 0 ? "Later" : "Join", $"{peer}.{i}").Value);
            }
        })).ToArray();
        await Task.WhenAll(peers);
        await stop.CancelAsync();
        await noise;
        Assert.Empty(sample.Faults);
    }

    /// <summary>Anybody can fill the queue of a service that is slow to read; nobody may keep others from it so.</summary>
    [Fact]
    public async Task Call_BusHasNoRoomForIt_SentAgainUntilItHas()
    {
        using var narrow = new TestBus(maxOutgoingBytes: 1 << 20);
        using var reads = new ManualResetEventSlim();
        using var server = new Sample().Serve(narrow, Name);
        server.Post(() => reads.Wait(Sample.Limit));
        using var crowd = narrow.Connect();
        var large = new string('x', 1 << 18);
        for (var sent = 0; crowd.Refusals == 0; sent++)
        {
            Assert.True(sent < 100, "the bus took more than its limit");
            _ = Call(crowd, "Later", large, TimeSpan.FromMilliseconds(100));
        }

        // Within its limit, and no longer: the answer is then what the bus said.
        Assert.Equal(BusErrorNames.LimitsExceeded, Call(crowd, "Later", "a", TimeSpan.FromMilliseconds(100)).Error?.Name);

        using var client = narrow.Connect();
        var asked = Task.Run(() => Call(client, "Later", "a", Sample.Limit), TestContext.Current.CancellationToken);
        await Eventually.Becomes(() => client.Refusals > 0);
        reads.Set();
        Assert.Equal("a", (await asked).Value);
    }

    /// <summary>What the bus refuses of its own, for a limit that does not pass, is an answer and no queue that gets shorter.</summary>
    [Fact]
    public void Call_BusRefusesOneOfItsOwnMethods_NotSentAgain()
    {
        const string driver = "org.freedesktop.DBus";
        using var client = bus.Connect();
        BusError? refused = null;
        for (var rules = 0; refused is null && rules < 10_000; rules++)
        {
            var rule = $"type='signal',path='/org/example/n{rules}'";
            refused = client.Call(driver, "/org/freedesktop/DBus", driver, "AddMatch", TimeSpan.FromSeconds(2), w => w.WriteString(rule)).Error;
        }

        Assert.Equal((BusErrorNames.LimitsExceeded, 0), (refused?.Name, client.Refusals));
    }

    [Fact]
    public async Task An_idle_server_sleeps()
    {
        using var server = new Sample().Serve(bus, Name);
        using (var client = bus.Connect())
        {
            Assert.Equal("a", Call(client, "Later", "a").Value);
        }

        // The first look may still see the thread on its way to sleep.
        await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        var before = SwitchesOfBusThreads();
        Assert.True(before > 0);
        await Task.Delay(TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken);
        Assert.Equal(before, SwitchesOfBusThreads());
    }

    [Fact]
    public void Nothing_is_left_open()
    {
        Cycle();
        var before = OpenFiles();
        for (var i = 0; i < 30; i++)
        {
            Cycle();
        }

        // Fewer are what an earlier test of the process had still been closing.
        Assert.InRange(OpenFiles(), 1, before);

        void Cycle()
        {
            using var server = new Sample().Serve(bus, Name);
            using var client = bus.Connect();
            using var wake = new BusWake();
            Assert.Null(client.AddMatch(Name, "path_namespace='/'", (_, _, _) => { }).Error);
            Assert.Equal("a", Call(client, "Later", "a").Value);
            // A descriptor that nobody reads goes with its message.
            Assert.NotNull(client.Call(Name, Sample.Path, Sample.InterfaceName, "Join", Sample.Limit, w => w.WriteFd(wake)).Error);
            Assert.NotNull(BusServer.Open(bus.BusAddress, Name).Error);
        }
    }

    private static long SwitchesOfBusThreads()
    {
        var switches = 0L;
        foreach (var task in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                if (File.ReadAllText(task + "/comm").Trim() == "bus")
                {
                    switches += File.ReadLines(task + "/status")
                        .Where(line => line.Contains("ctxt_switches", StringComparison.Ordinal))
                        .Sum(line => long.Parse(line.Split('\t')[1], CultureInfo.InvariantCulture));
                }
            }
            catch (IOException)
            {
                // Another thread of the process ended while we looked.
            }
        }

        return switches;
    }

    private static int OpenFiles() => Directory.GetFiles("/proc/self/fd").Length;

    private static BusResult<string> Call(BusClient client, string member, string text, TimeSpan? limit = null) => client.Call(
        Name,
        Sample.Path,
        Sample.InterfaceName,
        member,
        limit ?? Sample.Limit,
        w =>
        {
            w.WriteString(text);
            if (member == "Join")
            {
                w.WriteString("");
            }
        },
        "s",
        r => r.ReadString());
}
