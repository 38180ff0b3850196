// The daemon as systemd starts it: a process of its own with NOTIFY_SOCKET, watched from outside, ended by its id.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace LivePatchd.EndToEnd.Tests;

internal sealed class DaemonProcess : IDisposable
{
    /// <summary>LIVEPATCHD_PROGRAM names the daemon as it is shipped, where that is built.</summary>
    private static readonly string? Program = Environment.GetEnvironmentVariable("LIVEPATCHD_PROGRAM");

    private readonly Socket supervisor = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly ConcurrentQueue<string> messages = [];
    private readonly ConcurrentQueue<string> output = [];
    private readonly Process process;
    private volatile bool deaf;

    public DaemonProcess(TestHost host, TimeSpan? watchdog = null)
    {
        var socket = Path.Combine(host.Directory, $"notify-{Guid.NewGuid():N}");
        supervisor.Bind(new UnixDomainSocketEndPoint(socket));
        new Thread(Listen) { IsBackground = true, Name = "supervisor" }.Start();
        string[] start = Program is null ? ["dotnet", Tool.DaemonDll] : [Program];
        var info = new ProcessStartInfo(start[0], [.. start[1..], "--root", host.Directory, "--bus-address", host.Bus.Address])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["NOTIFY_SOCKET"] = socket;
        if (watchdog is { } interval)
            info.Environment["WATCHDOG_USEC"] = ((long)interval.TotalMicroseconds).ToString(CultureInfo.InvariantCulture);
        process = Process.Start(info)!;
        process.OutputDataReceived += (_, line) => output.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => output.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Datagrams in order, a line each ("READY=1", "RELOADING=1", "MONOTONIC_USEC=...").</summary>
    public IReadOnlyCollection<string> Messages => messages;

    public static bool IsShipped => Program is not null;

    public string Said => $"notified: {string.Join(" | ", messages)}; printed: {string.Join(" | ", output)}";

    /// <summary>User and system time so far.</summary>
    public TimeSpan Work
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    public long PeakResidentMiB => long.Parse(
        File.ReadLines($"/proc/{process.Id}/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(':', 'k')[1], CultureInfo.InvariantCulture) >> 10;

    public int Id => process.Id;

    public int Count(string message) => messages.Count(m => m == message);

    /// <summary>From now on nobody reads, and there is no room for another message.</summary>
    public void StopReading()
    {
        deaf = true;
        using var filler = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        // The listener takes one more at most before it sees that it is to stop.
        for (var full = 0; full < 3;)
        {
            try
            {
                filler.SendTo("FILL=1"u8, supervisor.LocalEndPoint!);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock)
            {
                full++;
                Thread.Sleep(20);
            }
        }
    }

    public Task Notifies(Func<string, bool> message) => Limit.Until(() => messages.Any(message), () => Said);

    public async Task Signal(string name) =>
        (await Tool.Run(["kill", "-" + name, process.Id.ToString(CultureInfo.InvariantCulture)])).Exits(0);

    /// <summary>Ends by itself, with that code; what it said otherwise is in the failure.</summary>
    public async Task Exits(int code)
    {
        await Gone();
        Assert.True(process.ExitCode == code, $"exit code {process.ExitCode}, not {code}; {Said}");
    }

    public async Task Gone()
    {
        using var limit = new CancellationTokenSource(Limit.Long);
        await process.WaitForExitAsync(limit.Token);
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
        supervisor.Dispose();
    }

    private void Listen()
    {
        var buffer = new byte[1 << 14];
        try
        {
            while (!deaf)
            {
                foreach (var line in Encoding.UTF8.GetString(buffer, 0, supervisor.Receive(buffer)).Split('\n'))
                    messages.Enqueue(line);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
