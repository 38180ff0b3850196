// Stands before the web server: slots for connections, and which names of this host it answers to.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LivePatchd.Log;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace LivePatchd.Metrics;

internal sealed class ListenerGuard(DaemonLog log, TimeProvider clock)
{
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;

    public ConnectionSlots Slots { get; } = new(clock, closed => log.Note(
        EventKind.MetricsProblem, string.Create(CultureInfo.InvariantCulture, $"{closed} idle connections to /metrics were closed to let others in; this is told once a minute at most")));

    public ConnectionDelegate Connection(ConnectionDelegate next) => async context =>
    {
        var socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
        var isUnix = socket is { AddressFamily: AddressFamily.Unix };
        var slot = Slots.Enter(isUnix ? UserOf(socket!) : null, isUnix, () => context.Abort(new ConnectionAbortedException("others wait")));
        context.Features.Set(slot);
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            Slots.Leave(slot);
        }
    };

    public static async Task Request(HttpContext context, RequestDelegate next)
    {
        var slot = context.Features.Get<ConnectionSlots.Slot>();
        if (slot is not { IsUnix: true } && !IsOfThisHost(context.Request.Host))
        {
            context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
            return;
        }
        if (context.Request.Path != "/metrics")
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "GET, HEAD";
            return;
        }
        slot?.IsBusy = true;
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            slot?.IsBusy = false;
        }
    }

    /// <summary>A page in somebody's browser reaches loopback by a name of its own; it gets no answer by that name.</summary>
    public static bool IsOfThisHost(HostString host) =>
        host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static uint? UserOf(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        try
        {
            return socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) == credentials.Length ? MemoryMarshal.Cast<byte, uint>(credentials)[1] : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
