// A private dbus-daemon on a socket in its own directory, ended by its id.
using System.Diagnostics;

[assembly: AssemblyFixture(typeof(LivePatchd.Bus.Tests.TestBus))]

namespace LivePatchd.Bus.Tests;

public sealed class TestBus : IDisposable
{
    public const string ForbiddenName = "org.example.Forbidden";
    private const string NameTaken = "org.freedesktop.DBus.Error.FileExists";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(2);

    /// <summary>A name that the bus starts a service for; the service does not take it, and leaves a file.</summary>
    public const string StartableName = "org.example.Startable";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("livepatchd-bus-");
    private readonly Process _daemon;

    public TestBus()
        : this(null)
    {
    }

    /// <param name="maxOutgoingBytes">What waits for one peer at most, before the bus refuses more; null for its own limit.</param>
    internal TestBus(int? maxOutgoingBytes)
    {
        // Other users must be able to reach the socket: one test calls as nobody.
        File.SetUnixFileMode(_directory.FullName, (UnixFileMode)Convert.ToInt32("755", 8));
        var socket = Path.Combine(_directory.FullName, "bus");
        var config = Path.Combine(_directory.FullName, "bus.conf");
        File.WriteAllText(config, $"""
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig>
              <type>session</type>
              <listen>unix:path={socket}</listen>
              <auth>EXTERNAL</auth>
              <servicedir>{_directory.FullName}</servicedir>
              {(maxOutgoingBytes is { } bytes ? $"<limit name=\"max_outgoing_bytes\">{bytes}</limit>" : "")}
              <policy context="default">
                <allow user="*"/>
                <allow send_destination="*"/>
                <allow receive_sender="*"/>
                <allow own="*"/>
                <deny own="{ForbiddenName}"/>
              </policy>
            </busconfig>
            """);
        File.WriteAllText(Path.Combine(_directory.FullName, $"{StartableName}.service"), $"[D-BUS Service]\nName={StartableName}\nExec=/usr/bin/touch {StartedFile}\n");
        _daemon = Process.Start(new ProcessStartInfo("dbus-daemon", [$"--config-file={config}", "--print-address", "--nofork", "--nopidfile"])
        {
            RedirectStandardOutput = true,
        })!;
        var line = _daemon.StandardOutput.ReadLineAsync();
        Address = line.Wait(StartTimeout) && line.Result is { } address ? address : throw new InvalidOperationException("dbus-daemon did not start");
    }

    public string Address { get; }

    public string StartedFile => Path.Combine(_directory.FullName, "started");

    public BusAddress BusAddress => BusAddress.At(Address);

    public BusClient Connect()
    {
        var client = BusClient.Connect(BusAddress);
        Assert.True(client.IsOk, client.Error?.ToString());
        return client.Value;
    }

    public BusServer Serve(string name, Action<BusServer>? setUp = null)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            var server = BusServer.Open(BusAddress, name, setUp);
            if (server.IsOk)
                return server.Value;
            // The server of the test before has closed its connection, which the bus may not have noticed yet.
            Assert.True(server.Error?.Name == NameTaken && Stopwatch.GetElapsedTime(begun) < StartTimeout, server.Error?.ToString());
            Thread.Sleep(5);
        }
    }

    public void Kill()
    {
        if (!_daemon.HasExited)
        {
            _daemon.Kill();
            _daemon.WaitForExit(StartTimeout);
        }
    }

    public void Dispose()
    {
        Kill();
        _daemon.Dispose();
        _directory.Delete(recursive: true);
    }
}
