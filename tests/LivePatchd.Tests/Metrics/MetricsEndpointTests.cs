// The listener of /metrics against those who only hold connections, and names that are not this host's.
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using LivePatchd.Core.Config;
using LivePatchd.Metrics;

namespace LivePatchd.Tests.Metrics;

public sealed class MetricsEndpointTests : IAsyncLifetime
{
    private const string SocketPath = "/run/livepatchd/metrics.sock";

    private readonly Bench bench = new();
    private readonly List<Socket> idle = [];
    private readonly MetricsEndpoint endpoint;

    public MetricsEndpointTests() => endpoint = new MetricsEndpoint(bench.Root, bench.Log, bench.Meter.Instruments, bench.Time);

    public async ValueTask InitializeAsync() => await endpoint.StartAsync(new MetricsSettings("127.0.0.1:0", SocketPath));

    public async ValueTask DisposeAsync()
    {
        idle.ForEach(static s => s.Dispose());
        await endpoint.DisposeAsync();
        bench.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connections_HundredsHeldIdle_ScraperServedAndToldOnce(bool unix)
    {
        for (var i = 0; i < 200; i++)
        {
            var held = new Socket(unix ? AddressFamily.Unix : AddressFamily.InterNetwork, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
            idle.Add(held);
            await held.ConnectAsync(unix ? new UnixDomainSocketEndPoint(bench.Files.Path(SocketPath)) : IPEndPoint.Parse(new Uri(endpoint.LoopbackAddress!).Authority), Stop);
        }
        using var client = Client(unix);
        var answer = await client.GetAsync(Address(unix), Stop);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(1, bench.Said.Count("idle connections to /metrics were closed"));
        Assert.Equal(0, bench.Said.Count("rejected"));
    }

    [Fact]
    public async Task Connection_NoRequest_ClosedSoon()
    {
        var held = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        idle.Add(held);
        await held.ConnectAsync(IPEndPoint.Parse(new Uri(endpoint.LoopbackAddress!).Authority), Stop);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        Assert.Equal(0, await held.ReceiveAsync(new byte[1], limit.Token));
    }

    [Theory]
    [InlineData("localhost", false, HttpStatusCode.OK)]
    [InlineData("127.0.0.1:9817", false, HttpStatusCode.OK)]
    [InlineData("[::1]", false, HttpStatusCode.OK)]
    [InlineData("attacker.example", false, HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost.attacker.example:9817", false, HttpStatusCode.MisdirectedRequest)]
    [InlineData("192.0.2.1", false, HttpStatusCode.MisdirectedRequest)]
    [InlineData("whatever", true, HttpStatusCode.OK)]
    public async Task Request_HostHeader_OnlyNamesOfThisHostOnTcp(string host, bool unix, HttpStatusCode expected)
    {
        using var client = Client(unix);
        using var request = new HttpRequestMessage(HttpMethod.Get, Address(unix));
        request.Headers.Host = host;
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/plain"));
        Assert.Equal(expected, (await client.SendAsync(request, Stop)).StatusCode);
    }

    [Theory]
    [InlineData(null, "text/plain")]
    [InlineData("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", "application/openmetrics-text")]
    public async Task Request_Accept_FormatThatItNames(string? accept, string type)
    {
        using var client = Client(unix: true);
        using var request = new HttpRequestMessage(HttpMethod.Get, Address(unix: true));
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await client.SendAsync(request, Stop);
        Assert.Equal(type, answer.Content.Headers.ContentType!.MediaType);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.Equal(accept is not null, text.EndsWith("# EOF\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Request_Head_LengthWithoutBody()
    {
        using var client = Client(unix: false);
        using var request = new HttpRequestMessage(HttpMethod.Head, Address(unix: false));
        using var answer = await client.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Content.Headers.ContentLength > 1000);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Stop));
    }

    [Theory]
    [InlineData("POST", "/metrics", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/", HttpStatusCode.NotFound)]
    public async Task Request_AnythingElse_Refused(string method, string path, HttpStatusCode expected)
    {
        using var client = Client(unix: false);
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(new Uri(endpoint.LoopbackAddress!), path));
        using var answer = await client.SendAsync(request, Stop);
        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task Request_HeadersWithoutEnd_RefusedAtTheirBound()
    {
        using var client = Client(unix: false);
        using var request = new HttpRequestMessage(HttpMethod.Get, Address(unix: false));
        request.Headers.Add("X-Filler", new string('x', 16 * 1024));
        using var answer = await client.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, answer.StatusCode);
    }

    [Fact]
    public void Slots_UserAboveItsBound_MakesRoomAmongItsOwn()
    {
        List<string> closed = [];
        var lines = new List<int>();
        var slots = new ConnectionSlots(bench.Time, lines.Add);
        slots.Enter(0, true, () => closed.Add("root"));
        slots.Enter(1000, true, () => closed.Add("other"));
        for (var i = 0; i < 100; i++)
        {
            var name = $"nobody {i}";
            slots.Enter(65534, true, () => closed.Add(name));
        }
        Assert.Equal(100 - ConnectionSlots.MaxOfOne, closed.Count);
        Assert.All(closed, static c => Assert.StartsWith("nobody", c, StringComparison.Ordinal));
        Assert.Equal([1], lines);
        bench.Time.Skip(TimeSpan.FromMinutes(1));
        slots.Enter(65534, true, static () => { });
        Assert.Equal(2, lines.Count);
        for (var i = 0; i < 500; i++)
            slots.Enter(null, false, static () => { });
        Assert.Equal(ConnectionSlots.MaxOfAll, slots.Count);
        Assert.DoesNotContain("root", closed);
    }

    [Fact]
    public void Slots_OldestIsBeingAnswered_NextOneMakesRoom()
    {
        List<int> closed = [];
        var slots = new ConnectionSlots(bench.Time, static _ => { });
        for (var i = 0; i <= ConnectionSlots.MaxOfAll; i++)
        {
            var number = i;
            slots.Enter(null, false, () => closed.Add(number)).IsBusy = i == 0;
        }
        Assert.Equal([1], closed);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Uri Address(bool unix) => new(unix ? "http://localhost/metrics" : $"{endpoint.LoopbackAddress}/metrics");

    private HttpClient Client(bool unix) => new(new SocketsHttpHandler
    {
        ConnectCallback = !unix ? null : async (_, stop) =>
        {
            var stream = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await stream.ConnectAsync(new UnixDomainSocketEndPoint(bench.Files.Path(SocketPath)), stop);
            return new NetworkStream(stream, ownsSocket: true);
        },
    })
    { Timeout = TimeSpan.FromMinutes(2) };
}
