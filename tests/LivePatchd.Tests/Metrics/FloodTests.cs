// Ten thousand connections to /metrics, and readers that take nothing, while the loop has a patch to load.
using System.Net;
using System.Net.Sockets;
using LivePatchd.Core.Config;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Metrics;

namespace LivePatchd.Tests.Metrics;

public sealed class FloodTests : IDisposable
{
    private const string SocketPath = "/run/livepatchd/metrics.sock";
    private const int Connections = 10_000;
    private const int HeldAtOnce = 2_000;

    private readonly LoopBench host = new();
    private readonly Queue<Socket> held = new();

    public void Dispose()
    {
        foreach (var socket in held)
            socket.Dispose();
        host.Dispose();
    }

    [Fact]
    [Trait("Length", "long")]
    public async Task Loop_TenThousandConnections_LoadsItsPatch()
    {
        await host.Start();
        await using var endpoint = new MetricsEndpoint(host.Bench.Root, host.Bench.Log, host.Meter!, TimeProvider.System);
        await endpoint.StartAsync(new MetricsSettings("127.0.0.1:0", SocketPath));
        var tcp = IPEndPoint.Parse(new Uri(endpoint.LoopbackAddress!).Authority);
        var dropped = false;
        for (var i = 0; i < Connections; i++)
        {
            await Connect(i % 2 == 0, tcp, asks: i % 3 == 0);
            if (i != Connections / 2)
                continue;
            host.Drop(new Patch("lp_one"));
            dropped = true;
        }
        Assert.True(dropped);
        await host.Until(() => host.State("lp_one") == "Active");
        var text = (await Scrape.From(host.Bench.Files.Path(SocketPath))).Text;
        Assert.Contains("livepatchd_patch_state{patch=\"lp_one\",state=\"active\"} 1", text, StringComparison.Ordinal);
    }

    /// <summary>Held, so that the daemon must close it; a third of them ask first, and do not read the answer.</summary>
    private async Task Connect(bool unix, IPEndPoint tcp, bool asks)
    {
        var socket = new Socket(unix ? AddressFamily.Unix : AddressFamily.InterNetwork, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        held.Enqueue(socket);
        if (held.Count > HeldAtOnce)
            held.Dequeue().Dispose();
        await socket.ConnectAsync(unix ? new UnixDomainSocketEndPoint(host.Bench.Files.Path(SocketPath)) : tcp, TestContext.Current.CancellationToken);
        if (!asks)
            return;
        try
        {
            await socket.SendAsync("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        }
        catch (SocketException)
        {
            // It has been closed for another already.
        }
    }
}
