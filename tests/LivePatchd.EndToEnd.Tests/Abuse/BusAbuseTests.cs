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
    /// <summary>What the peer tries; what the bus lets through is printed.</summary>
    private const int CallsPerSecond = 10_000;
    private const int MatchRules = 1000;
    private const int MiB = 1 << 20;

    /// <summary>A daemon that is compiled as it runs grows by itself; what a peer can make it hold would be many times that.</summary>
    private const double MayGrowMiB = 48;

    /// <summary>So many patches must come in during the abuse, however slow the machine is.</summary>
    private const int LeastRounds = 3;

    private static readonly TimeSpan FloodFor = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_peer_that_floods_the_bus_for_ten_seconds()
    {
        await using var abused = await AbusedHost.Started();
        using var listener = UserClient.Connect(abused.Host.Bus, UserClient.Nobody);
        using var second = UserClient.Connect(abused.Host.Bus, UserClient.Nobody);
        var rules = AddMatches(listener, MatchRules) + AddMatches(second, MatchRules);
        using var peer = new RawPeer(abused.Host.Bus, UserClient.Nobody);
        var before = abused.ResidentMiB;
        var flood = Task.Run(() => Flood(peer), TestContext.Current.CancellationToken);
        await Meanwhile(abused, flood);
        var (sent, took) = await flood;
        output.WriteLine(abused.Figures(string.Create(
            CultureInfo.InvariantCulture,
            $"flood: {sent / took.TotalSeconds:F0} calls/s for {took.TotalSeconds:F1} s, {peer.Answers / took.TotalSeconds:F0} answers/s, {rules} match rules")));
        Assert.InRange(rules, MatchRules, 2 * MatchRules);
        Assert.True(peer.Errors > 0);
        abused.Verify(before, MayGrowMiB);
    }

    [Fact]
    public async Task Oversized_strings_and_messages_that_ask_for_no_answer()
    {
        await using var abused = await AbusedHost.Started();
        using var peer = new RawPeer(abused.Host.Bus, UserClient.Nobody);
        var before = abused.ResidentMiB;
        var large = new string('x', MiB);
        var flood = Task.Run(
            () =>
            {
                foreach (var reply in new[] { true, false })
                {
                    for (var i = 0; i < 60; i++)
                    {
                        peer.Send(RawPeer.OfManager("Apply", "sa{sv}", RawPeer.TextAndOptions(large), reply));
                        peer.Send(RawPeer.OfManager("Unstage", "s", RawPeer.Text(large), reply));
                        peer.Send(RawPeer.OfManager("History", "s", RawPeer.Text(large), reply));
                    }
                }
                // As large as the system bus lets through.
                for (var i = 0; i < 8; i++)
                    peer.Send(RawPeer.OfManager("Confirm", "s", RawPeer.Text(new string('x', 24 * MiB)), reply: false));
            },
            TestContext.Current.CancellationToken);
        await Meanwhile(abused, flood);
        await flood;
        await Answered(peer);
        output.WriteLine(abused.Figures("oversized messages"));
        abused.Verify(before, MayGrowMiB + 64);
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
        using var stop = new CancellationTokenSource(FloodFor);
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

    /// <summary>Calls of readers and of those who may not, in batches, so many a second at most.</summary>
    private static (long Sent, TimeSpan Took) Flood(RawPeer peer)
    {
        byte[][] calls =
        [
            RawPeer.OfManager("ListPatches", "", []),
            RawPeer.OfManager("Revert", "sa{sv}", RawPeer.TextAndOptions(AbusedHost.Victim)),
            RawPeer.OfManager("Plan", "", []),
            RawPeer.OfManager("Hold", "st", [.. RawPeer.Text("why"), .. new byte[8]]),
            RawPeer.OfManager("Reload", "", [], reply: false),
            RawPeer.Call(BusNames.Service, BusNames.ManagerPath, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", []),
        ];
        var begun = Stopwatch.GetTimestamp();
        var sent = 0L;
        while (Stopwatch.GetElapsedTime(begun) is var elapsed && elapsed < FloodFor)
        {
            if (sent > elapsed.TotalSeconds * CallsPerSecond)
            {
                Thread.Sleep(1);
                continue;
            }
            for (var i = 0; i < 20; i++)
                Assert.True(peer.Send(calls[sent++ % calls.Length]));
        }
        return (sent, Stopwatch.GetElapsedTime(begun));
    }

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
