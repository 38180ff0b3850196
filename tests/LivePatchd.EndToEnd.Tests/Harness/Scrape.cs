// Reads /metrics as a scraper does, over the unix socket or loopback.
using System.Globalization;
using System.Net.Sockets;

namespace LivePatchd.EndToEnd.Tests;

internal sealed record Scrape(string Text)
{
    public static async Task<Scrape> From(string socket)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var stream = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await stream.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
                return new NetworkStream(stream, ownsSocket: true);
            },
        })
        { Timeout = Limit.Call };
        return new Scrape(await client.GetStringAsync(new Uri("http://localhost/metrics"), TestContext.Current.CancellationToken));
    }

    /// <summary>Null when nobody answers there.</summary>
    public static async Task<Scrape?> Try(string socket)
    {
        try
        {
            return await From(socket);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Value of the one series with this name and these label parts; null when there is none.</summary>
    public double? Value(string name, params string[] labels)
    {
        var lines = Text.Split('\n').Where(l => (l.StartsWith(name + "{", StringComparison.Ordinal) || l.StartsWith(name + " ", StringComparison.Ordinal))
            && labels.All(part => l.Contains(part, StringComparison.Ordinal))).ToList();
        return lines.Count == 0 ? null : double.Parse(Assert.Single(lines).Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
