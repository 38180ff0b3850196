// A dbus-daemon of the test's own on a fixed socket, which can die and come back; ended by its id.
using System.Diagnostics;
using LivePatchd.Bus;

namespace LivePatchd.EndToEnd.Tests;

internal sealed class PrivateBus : IDisposable
{
    private readonly string socket;
    private readonly string config;
    private Process? process;

    public PrivateBus(string directory)
    {
        socket = Path.Combine(directory, "bus");
        config = Path.Combine(directory, "bus.conf");
        File.WriteAllText(config, $"""
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig>
              <type>session</type>
              <listen>unix:path={socket}</listen>
              <auth>EXTERNAL</auth>
              <policy context="default">
                <allow user="*"/>
                <allow send_destination="*"/>
                <allow receive_sender="*"/>
                <allow own="*"/>
              </policy>
            </busconfig>
            """);
    }

    public string Address => $"unix:path={socket}";

    public int Id => process!.Id;

    /// <summary>Processor time so far of the dbus-daemon that runs.</summary>
    public TimeSpan Work
    {
        get
        {
            process!.Refresh();
            return process.TotalProcessorTime;
        }
    }

    public void Start()
    {
        File.Delete(socket);
        process = Process.Start(new ProcessStartInfo("dbus-daemon", [$"--config-file={config}", "--print-address", "--nofork", "--nopidfile"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        var line = process.StandardOutput.ReadLineAsync();
        Assert.True(line.Wait(Limit.Call) && line.Result is not null, "dbus-daemon did not start");
    }

    public BusClient Connect()
    {
        var client = BusClient.Connect(BusAddress.At(Address));
        Assert.True(client.IsOk, client.Error?.ToString());
        return client.Value!;
    }

    public void Kill()
    {
        if (process is not { HasExited: false } running)
            return;
        running.Kill();
        running.WaitForExit(Limit.Call);
    }

    public void Dispose()
    {
        Kill();
        process?.Dispose();
    }
}
