// GET and HEAD /metrics on a unix socket and on loopback: the table of series on a Kestrel that can do nothing else.
using System.Net;
using System.Net.Sockets;
using LivePatchd.Core.Config;
using LivePatchd.Linux;
using LivePatchd.Log;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LivePatchd.Metrics;

/// <summary>A listener that cannot be had (port taken, directory missing) is reported and left out; the daemon goes on.</summary>
internal sealed class MetricsEndpoint(SystemRoot root, DaemonLog log, DaemonMeter meter, TimeProvider clock) : IAsyncDisposable
{
    /// <summary>Two reloads in a row must not have two servers on one address.</summary>
    private readonly SemaphoreSlim turn = new(1, 1);

    /// <summary>Of a connection that waits for its next request, and of a request whose headers come slowly.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ListenerGuard guard = new(log, clock);

    private WebApplication? app;

    /// <summary>Address that the loopback listener got; null when it is off. For tests that ask for port 0.</summary>
    public string? LoopbackAddress => app?.Urls.FirstOrDefault(u => u.StartsWith("http://127.", StringComparison.Ordinal) || u.StartsWith("http://[::1]", StringComparison.Ordinal));

    public async Task StartAsync(MetricsSettings settings)
    {
        await turn.WaitAsync().ConfigureAwait(false);
        try
        {
            await End().ConfigureAwait(false);
            await Begin(settings).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    public async Task StopAsync()
    {
        await turn.WaitAsync().ConfigureAwait(false);
        try
        {
            await End().ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private async Task Begin(MetricsSettings settings)
    {
        var socket = PrepareSocket(root.Path(settings.UnixSocket));
        var loopback = settings.Listen is { } text && IPEndPoint.TryParse(text, out var endpoint) && CanListen(endpoint) ? endpoint : null;
        if (socket is null && loopback is null)
            return;
        var next = Build(socket, loopback);
        try
        {
            // It takes milliseconds; a stop that comes meanwhile ends it in its turn, and is no failure to start.
            await next.StartAsync(CancellationToken.None).ConfigureAwait(false);
            app = next;
            if (socket is not null)
                File.SetUnixFileMode(socket, (UnixFileMode)0b110_110_110); // Connecting needs write permission; reading metrics is for everybody.
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            log.Problem(EventKind.MetricsProblem, $"Metrics cannot be served: {e.Message}");
            await next.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task End()
    {
        if (app is not { } old)
            return;
        app = null;
        await old.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(1)).Token).ConfigureAwait(false);
        await old.DisposeAsync().ConfigureAwait(false);
    }

    private WebApplication Build(string? socket, IPEndPoint? loopback)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "livepatchd", ContentRootPath = "/" });
        builder.Logging.AddProvider(new LibraryLoggerProvider(log)).SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Kestrel's own bound refuses the newcomer, with a line in the log for each.
            kestrel.Limits.MaxConcurrentConnections = null;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
            kestrel.Limits.RequestHeadersTimeout = Patience;
            kestrel.Limits.KeepAliveTimeout = Patience;
            if (socket is not null)
                kestrel.ListenUnixSocket(socket, Guard);
            if (loopback is not null)
                kestrel.Listen(loopback, Guard);
        });
        builder.Services.AddSingleton<IHostLifetime, InnerLifetime>();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, PlainPoolFactory>();
        var built = builder.Build();
        built.Use(ListenerGuard.Request);
        built.Run(Answer);
        return built;

        void Guard(ListenOptions options)
        {
            options.Protocols = HttpProtocols.Http1;
            options.Use(guard.Connection);
        }
    }

    private async Task Answer(HttpContext context)
    {
        var openMetrics = Exposition.WantsOpenMetrics(context.Request.Headers.Accept.ToString());
        var text = Exposition.Write(meter.Read(), openMetrics);
        context.Response.ContentType = openMetrics ? Exposition.OpenMetricsType : Exposition.PrometheusType;
        context.Response.ContentLength = text.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(text, context.RequestAborted).ConfigureAwait(false);
    }

    private string? PrepareSocket(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Delete(path); // Left by a run that was killed; the instance lock is held, so nobody serves it.
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.Problem(EventKind.MetricsProblem, $"The metrics socket cannot be made: {e.Message}");
            return null;
        }
    }

    /// <summary>Tried first, so that a taken port costs the loopback listener and not the socket too.</summary>
    private bool CanListen(IPEndPoint endpoint)
    {
        try
        {
            using var probe = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(endpoint);
            return true;
        }
        catch (SocketException e)
        {
            log.Problem(EventKind.MetricsProblem, $"Metrics cannot be served on {endpoint}: {e.Message}; the unix socket stays");
            return false;
        }
    }
}
