// A hostile peer on the bus: floods, oversized and malformed messages, callers and a polkit that come and go; patches are loaded all the while.
using System.Diagnostics;
using System.Globalization;
using LivePatchd.Bus;
using LivePatchd.Core.Model;

namespace LivePatchd.EndToEnd.Tests.Abuse;

[CollectionDefinition(nameof(BusAbuseTests), DisableParallelization = true)]
[Collection(nameof(BusAbuseTests))]
[Trait("Length", "long")]
public sealed class BusAbuseTests(ITestOutputHelper output)
{
    /// <summary>What the peer offers; how long the bus and the daemon take over it is printed.</summary>
    private const int CallsPerSecond = 10_000;
    private const int FloodSeconds = 10;
    private const int MatchRules = 1000;
    private const int MiB = 1 << 20;

    /// <summary>A daemon that is compiled as it runs grows by itself; what a peer can make it hold would be many times that.</summary>
    private const double MayGrowMiB = 48;

    /// <summary>So many patches must come in during the abuse, however slow the machine is.</summary>
    private const int LeastRounds = 3;

    private static readonly TimeSpan ComingAndGoingFor = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_peer_that_floods_the_bus_for_ten_seconds()
    {
        await using var abused = await AbusedHost.Started();
        using var listener = UserClient.Connect(abused.Host.Bus, UserClient.Nobody);
        using var second = UserClient.Connect(abused.Host.Bus, UserClient.Nobody);
        var rules = AddMatches(listener, MatchRules) + AddMatches(second, MatchRules);
        using var peer = new RawPeer(abused.Host.Bus, UserClient.Nobody);
        var before = abused.ResidentMiB;
        var flood = new Flood(peer, CallsOfAll(), CallsPerSecond);
        var (load, busWork, daemonWork) = (Load(), abused.BusWork, abused.DaemonWork);
        var flooding = OnThread(() => flood.Run(FloodSeconds, paced: true));
        await Meanwhile(abused, flooding);
        await flooding;
        output.WriteLine(abused.Figures($"flood: {Told(flood)}; {rules} match rules"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"processor time meanwhile: {(abused.BusWork - busWork).TotalSeconds:F1} s of dbus-daemon, {(abused.DaemonWork - daemonWork).TotalSeconds:F1} s of the daemon; load {load} before, {Load()} after, {Environment.ProcessorCount} processors"));
        Assert.InRange(rules, MatchRules, 2 * MatchRules);
        Assert.True(flood.Sent >= CallsPerSecond * FloodSeconds);
        Assert.Equal(0, flood.RefusedByTheBus);
        Assert.True(flood.Errors > 0);
        abused.Verify(before, MayGrowMiB);
    }

    /// <summary>What a flood is worth: the same one, as fast as the bus takes it, to a peer that does nothing but answer.</summary>
    [Fact]
    public async Task The_bus_alone()
    {
        const string Sink = "org.example.Sink";
        await using var host = new TestHost();
        using var sink = new RawPeer(host.Bus, UserClient.Nobody, answersCalls: true);
        sink.Send(RawPeer.Call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName", "su", [.. RawPeer.TextAligned(Sink), .. new byte[4]]));
        await Limit.Until(() => sink.Answers == 2);
        using var peer = new RawPeer(host.Bus, UserClient.Nobody);
        var flood = new Flood(peer, CallsOfAll(Sink), CallsPerSecond);
        var (load, busWork) = (Load(), host.Bus.Work);
        await OnThread(() => flood.Run(FloodSeconds, paced: false));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"the bus alone: {Told(flood)}; processor time {(host.Bus.Work - busWork).TotalSeconds:F1} s of dbus-daemon; load {load} before, {Environment.ProcessorCount} processors"));
        Assert.Equal(flood.Sent, sink.Calls);
        Assert.Equal(0, flood.RefusedByTheBus);
    }

    [Fact]
    public async Task Oversized_strings_and_messages_that_ask_for_no_answer()
    {
        await using var abused = await AbusedHost.Started();
        using var peer = new RawPeer(abused.Host.Bus, UserClient.Nobody);
        // Made beforehand and once: the test shares its heap with the daemon.
        var large = new string('x', MiB);
        byte[][] ordinary =
        [
            .. new[] { true, false }.SelectMany(reply => new[]
            {
                RawPeer.OfManager("Apply", "sa{sv}", RawPeer.TextAndOptions(large), reply),
                RawPeer.OfManager("Unstage", "s", RawPeer.Text(large), reply),
                RawPeer.OfManager("History", "s", RawPeer.Text(large), reply),
            }),
        ];
        // As large as the system bus lets through.
        var largest = RawPeer.OfManager("Confirm", "s", RawPeer.Text(new string('x', 24 * MiB)), reply: false);
        GC.Collect();
        var before = abused.ResidentMiB;
        var flood = Task.Run(
            () =>
            {
                for (var i = 0; i < 60; i++)
                {
                    foreach (var message in ordinary)
                        peer.Send(message);
                }
                for (var i = 0; i < 8; i++)
                    peer.Send(largest);
            },
            TestContext.Current.CancellationToken);
        await Meanwhile(abused, flood);
        await flood;
        await Answered(peer);
        output.WriteLine(abused.Figures("oversized messages"));
        abused.Verify(before, MayGrowMiB + 64);
    }

    /// <summary>As much as the bus lets through, from many connections at once, in calls and in signals: each is dropped before it is read.</summary>
    [Fact]
    public async Task Messages_of_31_MiB_from_24_connections()
    {
        await using var abused = await AbusedHost.Started();
        var before = abused.ResidentMiB;
        using var stop = new CancellationTokenSource();
        var get = RawPeer.Call(
            BusNames.Service, BusNames.ManagerPath, "org.freedesktop.DBus.Properties", "Get", "ss", [.. RawPeer.TextAligned(new string('x', 31 * MiB)), .. RawPeer.Text("Version")], reply: false);
        var signal = RawPeer.Signal(BusNames.Service, BusNames.ManagerPath, "org.example.Noise", "Noise", "s", RawPeer.Text(new string('x', 31 * MiB)));
        var sent = 0;
        var abusers = Enumerable.Range(0, 24).Select(i => OnThread(() =>
        {
            using var peer = new RawPeer(abused.Host.Bus, UserClient.Nobody);
            var message = (i % 3 == 0 ? signal : get).ToArray();
            while (!stop.IsCancellationRequested && peer.Send(message))
                Interlocked.Increment(ref sent);
        })).ToArray();
        var slowest = TimeSpan.Zero;
        var asked = 0;
        var floodBegun = Stopwatch.GetTimestamp();
        // On a busy machine it takes longer until each connection has sent more than one.
        while (Stopwatch.GetElapsedTime(floodBegun) is var lasted && (lasted < ComingAndGoingFor || (Volatile.Read(ref sent) <= 2 * 24 && lasted < Limit.Call)))
        {
            var begun = Stopwatch.GetTimestamp();
            // dbus-daemon itself refuses a call while more than 127 MiB wait for the daemon.
            if (abused.Host.View.List() is { Error: { } refused } && refused.Name != BusErrorNames.LimitsExceeded)
                Assert.Fail(refused.ToString());
            slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, Stopwatch.GetElapsedTime(begun).Ticks));
            asked++;
        }
        await stop.CancelAsync();
        await Task.WhenAll(abusers);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"large messages: {sent} sent in {Stopwatch.GetElapsedTime(floodBegun).TotalSeconds:F0} s, {before:F0} MiB before, {abused.PeakMiB:F0} MiB at most; {asked} lists for root, the slowest after {slowest.TotalMilliseconds:F0} ms"));
        Assert.True(sent > 24, $"{sent} sent");
        abused.Verify(before, MayGrowMiB);
    }

    /// <summary>Messages with many descriptors, and peers that ask and never take the answer: root is answered, and no descriptor stays.</summary>
    [Fact]
    public async Task Descriptors_by_the_dozen_and_peers_that_never_read()
    {
        await using var abused = await AbusedHost.Started();
        var before = abused.ResidentMiB;
        var descriptors = abused.Descriptors;
        var deaf = Enumerable.Range(0, 8).Select(_ => new RawPeer(abused.Host.Bus, UserClient.Nobody, reads: false)).ToArray();
        using var stop = new CancellationTokenSource(ComingAndGoingFor);
        var sent = 0;
        var sending = OnThread(() =>
        {
            using var client = UserClient.Connect(abused.Host.Bus, UserClient.Nobody);
            using var file = File.OpenHandle("/dev/null");
            while (!stop.IsCancellationRequested)
            {
                client.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, sent % 2 == 0 ? "Stage" : "Plan", TimeSpan.FromMilliseconds(1), w =>
                {
                    for (var i = 0; i < 16; i++)
                        w.WriteFd(file);
                });
                sent++;
            }
        });
        var asking = OnThread(() =>
        {
            var all = RawPeer.Call(BusNames.Service, BusNames.ManagerPath, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", []);
            // The bus lets each wait for 128 answers; what it has been given it need not take.
            for (var i = 0; i < 2000 && !stop.IsCancellationRequested; i++)
            {
                foreach (var peer in deaf)
                    peer.Send(all);
            }
        });
        await Meanwhile(abused, Task.WhenAll(sending, asking));
        // While they are still there.
        await Limit.Until(() => abused.Host.View.List().IsOk);
        foreach (var peer in deaf)
            peer.Dispose();
        await Limit.Until(() => abused.Descriptors <= descriptors + 2, () => $"{descriptors} descriptors before, {abused.Descriptors} after");
        output.WriteLine(abused.Figures($"descriptors: {sent} messages with 16 of them"));
        Assert.True(sent > 0);
        abused.Verify(before, MayGrowMiB);
    }

    [Fact]
    public async Task Wrong_signatures_and_bytes_that_are_no_message()
    {
        await using var abused = await AbusedHost.Started();
        var before = abused.ResidentMiB;
        var random = new Random(20260301);
        var thrown = 0;
        var noise = Task.Run(
            () =>
            {
                using var wrong = new RawPeer(abused.Host.Bus, UserClient.Nobody);
                for (var i = 0; i < 500; i++)
                {
                    wrong.Send(RawPeer.OfManager("Apply", "s", RawPeer.Text(AbusedHost.Victim)));
                    wrong.Send(RawPeer.OfManager("Hold", "ss", RawPeer.Text("x")[..^1]));
                    wrong.Send(RawPeer.OfManager("Nothing", "", []));
                    wrong.Send(RawPeer.Call(BusNames.Service, "/", BusNames.Manager, "Reload", "", []));
                }
                for (var i = 0; i < 200; i++)
                {
                    using var peer = new RawPeer(abused.Host.Bus, UserClient.Nobody);
                    var bytes = RawPeer.OfManager("Apply", "sa{sv}", RawPeer.TextAndOptions(AbusedHost.Victim));
                    if (i % 2 == 0)
                        random.NextBytes(bytes);
                    else
                        bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    peer.SendBytes(bytes);
                    SpinWait.SpinUntil(() => peer.IsClosed, TimeSpan.FromMilliseconds(20));
                    thrown += peer.IsClosed ? 1 : 0;
                }
            },
            TestContext.Current.CancellationToken);
        await Meanwhile(abused, noise);
        await noise;
        output.WriteLine(abused.Figures($"noise: the bus threw {thrown} of 200 peers out"));
        abused.Verify(before, MayGrowMiB);
    }

    [Fact]
    public async Task Callers_that_leave_over_their_calls_and_a_polkit_that_comes_and_goes()
    {
        await using var abused = await AbusedHost.Started();
        var before = abused.ResidentMiB;
        using var stop = new CancellationTokenSource(ComingAndGoingFor);
        var (left, polkits) = (0, 0);
        var leaving = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    using var client = UserClient.Connect(abused.Host.Bus, left % 2 == 0 ? UserClient.Nobody : UserClient.Daemon);
                    foreach (var method in new[] { "Revert", "Apply", "Revert" })
                    {
                        client.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, method, TimeSpan.FromMilliseconds(1), w =>
                        {
                            w.WriteString(AbusedHost.Victim);
                            w.WriteOptions([KeyValuePair.Create<string, object>("override-gates", true)]);
                        });
                    }
                    left++;
                }
            },
            TestContext.Current.CancellationToken);
        var coming = Task.Run(
            async () =>
            {
                PolkitMood[] moods = [PolkitMood.No, PolkitMood.Silent, PolkitMood.Leaves, PolkitMood.Garbage];
                while (!stop.IsCancellationRequested)
                {
                    using var polkit = new FakePolkit(abused.Host.Bus, moods[polkits++ % moods.Length]);
                    await Task.Delay(20, CancellationToken.None);
                }
            },
            TestContext.Current.CancellationToken);
        await Meanwhile(abused, Task.WhenAll(leaving, coming));
        await leaving;
        await coming;
        output.WriteLine(abused.Figures($"comings and goings: {left} callers, {polkits} polkits"));
        abused.Verify(before, MayGrowMiB);
    }

    /// <summary>Calls of readers and of those who may not.</summary>
    private static byte[][] CallsOfAll(string to = BusNames.Service) =>
    [
        RawPeer.OfManager("ListPatches", "", [], to: to),
        RawPeer.OfManager("Revert", "sa{sv}", RawPeer.TextAndOptions(AbusedHost.Victim), to: to),
        RawPeer.OfManager("Plan", "", [], to: to),
        RawPeer.OfManager("Hold", "st", [.. RawPeer.Text("why"), .. new byte[8]], to: to),
        RawPeer.OfManager("Reload", "", [], to: to),
        RawPeer.Call(to, BusNames.ManagerPath, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", []),
    ];

    private static string Told(Flood flood) => string.Create(
        CultureInfo.InvariantCulture,
        $"{flood.Sent} calls sent in {flood.SendingTook.TotalSeconds:F1} s ({Rate(flood.Sent, flood.SendingTook)}/s), {flood.Sent - flood.RefusedByTheBus} delivered and dealt with in {flood.Took.TotalSeconds:F1} s ({Rate(flood.Sent - flood.RefusedByTheBus, flood.Took)}/s), {flood.Answered} answered ({flood.Errors} by an error), {flood.RefusedByTheBus} refused by the bus");

    /// <summary>One of its own: the pool's are busy with the rest of the test.</summary>
    private static Task OnThread(Action work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static string Rate(long count, TimeSpan span) => (count / span.TotalSeconds).ToString("F0", CultureInfo.InvariantCulture);

    private static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    /// <summary>Patches come and go for as long as it lasts, and a few more times where it was over soon.</summary>
    private static async Task Meanwhile(AbusedHost abused, Task abuse)
    {
        while (!abuse.IsCompleted || abused.Latencies.Count < LeastRounds)
            await abused.Reconcile();
    }

    /// <summary>The bus keeps a connection's messages in order: with the last one answered, all before it are dealt with.</summary>
    private static async Task Answered(RawPeer peer)
    {
        var before = peer.Answers;
        peer.Send(RawPeer.OfManager("ListPatches", "", []));
        await Limit.Until(() => peer.Answers > before);
    }

    private static int AddMatches(BusClient client, int count) => Enumerable.Range(0, count).Count(i => client.Call(
        "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", Limit.Call,
        w => w.WriteString($"type='signal',sender='{BusNames.Service}',arg0='a{i}'")).IsOk);
}
