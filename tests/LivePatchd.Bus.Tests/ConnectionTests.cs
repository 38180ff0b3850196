// Buses that are absent, mute, talking nonsense or dying, and names that are taken: outcomes, never exceptions.
using System.Net.Sockets;

namespace LivePatchd.Bus.Tests;

public sealed class ConnectionTests(TestBus bus)
{
    [Fact]
    public void An_absent_bus_is_an_outcome()
    {
        var nowhere = BusAddress.At("unix:path=/nonexistent/bus");
        var client = BusClient.Connect(nowhere);
        Assert.Equal(BusErrno.NoEntry, client.Error?.Errno);
        Assert.True(client.Error!.IsUnreachable);
        Assert.Equal(BusErrno.NoEntry, BusServer.Open(nowhere, "org.example.Any").Error?.Errno);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("")]
    public void An_address_that_is_none_is_an_outcome(string address) =>
        Assert.True(BusClient.Connect(BusAddress.At(address)).Error?.IsUnreachable);

    [Fact]
    public void A_name_that_another_owns_is_told_apart()
    {
        using var first = bus.Serve("org.example.Taken");
        var second = BusServer.Open(bus.BusAddress, "org.example.Taken");
        Assert.Equal(BusErrno.Exists, second.Error?.Errno);
        Assert.Contains("org.example.Taken", second.Error!.Message, StringComparison.Ordinal);
        Assert.False(second.Error.IsUnreachable);
    }

    [Fact]
    public void A_name_is_free_once_its_server_is_disposed()
    {
        for (var i = 0; i < 5; i++)
        {
            bus.Serve("org.example.Again").Dispose();
        }
    }

    [Fact]
    public void A_name_the_policy_refuses_is_told_apart() =>
        Assert.Equal(BusErrno.AccessDenied, BusServer.Open(bus.BusAddress, TestBus.ForbiddenName).Error?.Errno);

    [Fact]
    public void A_name_that_is_none_is_an_outcome() =>
        Assert.Equal(BusErrno.InvalidArgument, BusServer.Open(bus.BusAddress, "no dots").Error?.Errno);

    [Fact]
    public void What_set_up_throws_comes_out_and_leaves_nothing_behind()
    {
        Assert.Throws<InvalidOperationException>(() => BusServer.Open(bus.BusAddress, "org.example.SetUp", s => s.AddObject("no path", Sample.Interface)));
        bus.Serve("org.example.SetUp").Dispose();
    }

    [Fact]
    public void A_host_without_a_thread_to_spare_is_an_outcome()
    {
        var posted = 0;
        BusServer? server = null;
        var refused = BusServer.Open(
            bus.BusAddress,
            "org.example.Threadless",
            s =>
            {
                (server = s).AddObjectManager("/org/example");
                s.Post(() => posted++);
            },
            static _ => throw new InsufficientMemoryException());
        Assert.Equal(BusErrno.TryAgain, refused.Error?.Errno);
        Assert.False(server!.IsOpen);
        Assert.False(server.Post(() => posted++));
        server.Dispose();
        Assert.Equal(0, posted);
        // The name and the connection went with it.
        bus.Serve("org.example.Threadless").Dispose();
    }

    [Fact]
    public void Who_is_disposed_while_it_is_opened_serves_nothing_and_leaves_no_name_behind()
    {
        for (var i = 0; i < 20; i++)
        {
            var name = $"org.example.Early{i}";
            // From another thread, as a daemon that is told to stop in mid-start does it.
            var early = BusServer.Open(bus.BusAddress, name, static server =>
            {
                var stopper = new Thread(server.Dispose);
                stopper.Start();
                stopper.Join();
            });
            Assert.Equal(BusErrno.Cancelled, early.Error?.Errno);
            using var client = bus.Connect();
            var asked = client.Get(name, Sample.Path, Sample.InterfaceName, "Version", Sample.Limit);
            // The bus may read the question before it sees that the connection is gone.
            SpinWait.SpinUntil(() => asked.Error?.Name != "org.freedesktop.DBus.Error.NoReply" || Ask(), Sample.Limit);
            Assert.True(asked.Error?.IsUnreachable, asked.ToString());

            bool Ask()
            {
                asked = client.Get(name, Sample.Path, Sample.InterfaceName, "Version", Sample.Limit);
                return false;
            }
        }
    }

    [Fact]
    public void Disposed_at_any_moment_of_its_opening_it_ends()
    {
        for (var i = 0; i < 200; i++)
        {
            using var given = new ManualResetEventSlim();
            BusServer? server = null;
            var stopper = new Thread(() =>
            {
                given.Wait();
                Thread.SpinWait(i * 500);
                server!.Dispose();
            });
            stopper.Start();
            var opened = BusServer.Open(bus.BusAddress, $"org.example.Moment{i}", s =>
            {
                server = s;
                given.Set();
            });
            stopper.Join();
            Assert.True(opened.IsOk || opened.Error.Errno == BusErrno.Cancelled, opened.ToString());
            Assert.False(server!.IsOpen);
        }
    }

    [Fact]
    public void No_caller_finds_the_name_without_its_objects()
    {
        for (var i = 0; i < 20; i++)
        {
            // Another name each time: the bus may hear of a new connection before it hears of the old one's end.
            var name = $"org.example.Ready{i}";
            using var server = new Sample().Serve(bus, name);
            using var client = bus.Connect();
            Assert.Equal("1.0", client.Get(name, Sample.Path, Sample.InterfaceName, "Version", Sample.Limit).Value);
        }
    }

    [Fact]
    public void A_bus_that_accepts_and_says_nothing_is_given_up()
    {
        using var mute = new FakeBus(static _ => { });
        var client = BusClient.Connect(mute.BusAddress);
        Assert.True(client.Error?.IsTimeout, client.ToString());
    }

    [Fact]
    public void A_bus_that_talks_nonsense_is_given_up()
    {
        using var mad = new FakeBus(static peer => peer.Send(Enumerable.Repeat("\0\r\nNONSENSE OK 1\r\n"u8.ToArray(), 500).SelectMany(x => x).ToArray()));
        Assert.NotNull(BusClient.Connect(mad.BusAddress).Error);
        Assert.NotNull(BusServer.Open(mad.BusAddress, "org.example.Any").Error);
    }

    [Fact]
    public void A_bus_that_hangs_up_is_given_up()
    {
        using var rude = new FakeBus(static peer => peer.Close());
        Assert.NotNull(BusClient.Connect(rude.BusAddress).Error);
    }

    [Fact]
    public async Task The_death_of_the_bus_is_reported_once_and_survived()
    {
        using var mortal = new TestBus();
        var sample = new Sample();
        var deaths = new List<int>();
        using var server = mortal.Serve("org.example.Mortal", s =>
        {
            s.Disconnected += deaths.Add;
            s.AddObject(Sample.Path, Sample.Interface, sample);
        });
        using var client = mortal.Connect();
        var waiting = Task.Run(
            () => client.Call("org.example.Mortal", Sample.Path, Sample.InterfaceName, "Keep", Sample.Limit, null, "s", r => r.ReadString()),
            TestContext.Current.CancellationToken);
        BusCall? call = null;
        await Eventually.Becomes(() => sample.Kept.TryDequeue(out call));

        Assert.True(server.IsOpen);
        mortal.Kill();
        await Eventually.Becomes(() => !server.Post(() => { }) && deaths.Count > 0);
        Assert.False(server.IsOpen);
        Assert.Equal(BusErrno.ConnectionReset, Assert.Single(deaths));
        var interrupted = await waiting;
        Assert.True(interrupted.Error?.IsUnreachable, interrupted.ToString());

        // Everything that could be asked of the dead is ignored.
        call!.Reply(w => w.WriteString("too late"));
        call.Dispose();
        server.EmitPropertiesChanged(Sample.Path, Sample.InterfaceName, "Count");
        server.AddObject("/org/example/late", Sample.Interface, sample);
        server.RemoveObject(Sample.Path);
        server.Dispose();
        server.Dispose();
        Assert.NotNull(client.GetAll("org.example.Mortal", Sample.Path, Sample.InterfaceName, Sample.Limit).Error);
        Assert.NotNull(client.WaitForSignals(TimeSpan.Zero).Error);
        Assert.Empty(sample.Faults);
    }

    [Fact]
    public void A_server_may_be_disposed_by_its_own_disconnected_callback()
    {
        using var mortal = new TestBus();
        using var disposed = new ManualResetEventSlim();
        mortal.Serve("org.example.Mortal", s => s.Disconnected += _ =>
        {
            s.Dispose();
            disposed.Set();
        });
        mortal.Kill();
        Assert.True(disposed.Wait(Sample.Limit, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Call_ServiceThatDoesNotRun_StartedUnlessToldNever(bool never)
    {
        using var own = new TestBus();
        using var client = own.Connect();
        if (never)
        {
            client.NeverStart();
        }

        var error = client.GetAll(TestBus.StartableName, Sample.Path, Sample.InterfaceName, Sample.Limit).Error;
        Assert.Equal(never, error is { Name: BusErrorNames.ServiceUnknown or BusErrorNames.NameHasNoOwner });
        Assert.Equal(!never, File.Exists(own.StartedFile));
    }

    [Fact]
    public void A_waiting_client_learns_that_the_bus_died()
    {
        using var mortal = new TestBus();
        using var client = mortal.Connect();
        mortal.Kill();
        var ended = client.WaitForSignals(Sample.Limit);
        Assert.True(ended.Error?.IsUnreachable, ended.ToString());
    }

    /// <summary>A socket where a bus should be.</summary>
    private sealed class FakeBus : IDisposable
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("livepatchd-fakebus-");
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly List<Socket> _peers = [];

        public FakeBus(Action<Socket> greet)
        {
            var path = Path.Combine(_directory.FullName, "bus");
            BusAddress = BusAddress.At($"unix:path={path}");
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            _listener.Listen();
            _ = Accept(greet);
        }

        public BusAddress BusAddress { get; }

        public void Dispose()
        {
            _listener.Dispose();
            lock (_peers)
            {
                _peers.ForEach(static peer => peer.Dispose());
            }

            _directory.Delete(recursive: true);
        }

        private async Task Accept(Action<Socket> greet)
        {
            try
            {
                while (true)
                {
                    var peer = await _listener.AcceptAsync();
                    lock (_peers)
                    {
                        _peers.Add(peer);
                    }

                    greet(peer);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
