// sd_notify: tells systemd that the service is ready, alive, reloading or stopping, and what it is doing.
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Linux.Systemd;

/// <summary>
/// Does nothing when not started by systemd. Losing a message is never an error: the service works without its supervisor's attention,
/// and a watchdog message that cannot be delivered is what the watchdog is for. Not thread-safe.
/// </summary>
public sealed class Notifier : IDisposable
{
    private const int MaxStatusLength = 512;

    private readonly Socket? socket;
    private readonly UnixDomainSocketEndPoint? address;

    /// <param name="socketPath">Value of NOTIFY_SOCKET ('@' first for an abstract socket); null for none.</param>
    public Notifier(string? socketPath, TimeSpan? watchdogInterval)
    {
        WatchdogInterval = watchdogInterval;
        if (Address(socketPath) is not { } found)
            return;
        address = found;
        socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified)
        {
            // A supervisor that does not read must not stop the loop for long.
            SendTimeout = 1000,
        };
    }

    public bool Active => socket is not null;

    /// <summary>systemd kills the service when no <see cref="Watchdog"/> came for this long; null when it does not watch.</summary>
    public TimeSpan? WatchdogInterval { get; }

    public static Notifier FromEnvironment() => new(
        Environment.GetEnvironmentVariable("NOTIFY_SOCKET"),
        ParseWatchdog(
            Environment.GetEnvironmentVariable("WATCHDOG_USEC"),
            Environment.GetEnvironmentVariable("WATCHDOG_PID"),
            Environment.ProcessId));

    /// <summary>Also ends a reload.</summary>
    public void Ready() => Send("READY=1");

    /// <summary>One line; anything that could start another variable or disturb a terminal is replaced.</summary>
    public void Status(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Send("STATUS=" + Printable.Line(text, MaxStatusLength));
    }

    /// <summary>Only where somebody watches: elsewhere the messages would pile up.</summary>
    public void Watchdog()
    {
        if (WatchdogInterval is not null)
            Send("WATCHDOG=1");
    }

    /// <param name="monotonicMicroseconds">CLOCK_MONOTONIC now: systemd pairs it with the reload it asked for.</param>
    public void Reloading(ulong monotonicMicroseconds) =>
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={monotonicMicroseconds}"));

    public void Stopping() => Send("STOPPING=1");

    public void Dispose() => socket?.Dispose();

    internal static TimeSpan? ParseWatchdog(string? microseconds, string? pid, int ownPid)
    {
        if (pid is { Length: > 0 } && pid != ownPid.ToString(CultureInfo.InvariantCulture))
            return null;
        return ulong.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value is > 0 and < (ulong)long.MaxValue / 10
                ? TimeSpan.FromMicroseconds(value)
                : null;
    }

    private static UnixDomainSocketEndPoint? Address(string? path)
    {
        // vsock: and other schemes are for virtual machines, not services.
        if (path is not { Length: > 1 } || path[0] is not ('/' or '@'))
            return null;
        try
        {
            return new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path);
        }
        catch (ArgumentException)
        {
            return null; // longer than a socket address
        }
    }

    private void Send(string state)
    {
        if (socket is null || address is null)
            return;
        try
        {
            socket.SendTo(Encoding.UTF8.GetBytes(state), address);
        }
        catch (SocketException)
        {
            // See the class comment.
        }
    }
}
