// Independent clients: busctl and gdbus see the objects, call them, and hear the signals of this layer.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Tests;

public sealed partial class InteropTests : IDisposable
{
    private const string Name = "org.example.Interop";

    private readonly TestBus _bus;
    private readonly Sample _sample = new();
    private readonly BusServer _server;

    public InteropTests(TestBus bus)
    {
        _bus = bus;
        _server = _sample.Serve(bus, Name);
    }

    public void Dispose() => _server.Dispose();

    [Fact]
    public void Busctl_shows_the_tree()
    {
        Need("busctl");
        _server.AddObject(BusPath.Encode("/org/example/patch", "fix-cve"), Sample.Interface, _sample);
        var tree = Busctl("tree", "--list", Name).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["/", "/org", "/org/example", "/org/example/patch", "/org/example/patch/fix_2dcve", Sample.Path], tree.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Busctl_shows_every_member_with_its_flags()
    {
        Need("busctl");
        var lines = Busctl("introspect", Name, Sample.Path, Sample.InterfaceName).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).ToArray();
        Assert.Contains(".Join method ss s -", lines);
        Assert.Contains(".Options method a{sv} u -", lines);
        Assert.Contains(".Version property s \"1.0\" const", lines);
        Assert.Contains(".Count property t 0 emits-change", lines);
        Assert.Contains(".Log property as 2 \"one\" \"two\" emits-invalidation", lines);
        Assert.Contains(".Quiet property b true -", lines);
        Assert.Contains(".Moved signal us - -", lines);
    }

    [Fact]
    public void Introspection_names_arguments_in_declared_order()
    {
        Need("busctl");
        var xml = Busctl("introspect", "--xml-interface", Name, Sample.Path);
        var join = xml[xml.IndexOf("<method name=\"Join\">", StringComparison.Ordinal)..];
        var left = join.IndexOf("name=\"left\" direction=\"in\"", StringComparison.Ordinal);
        var right = join.IndexOf("name=\"right\" direction=\"in\"", StringComparison.Ordinal);
        var joined = join.IndexOf("name=\"joined\" direction=\"out\"", StringComparison.Ordinal);
        Assert.True(left > 0 && left < right && right < joined, join);
        Assert.DoesNotContain("Privileged", xml, StringComparison.Ordinal);
    }

    [Fact]
    public void Busctl_calls_and_is_answered()
    {
        Need("busctl");
        Assert.Equal("s \"ab\"\n", Busctl("call", Name, Sample.Path, Sample.InterfaceName, "Join", "ss", "a", "b"));
        Assert.Equal("s \"later\"\n", Busctl("call", Name, Sample.Path, Sample.InterfaceName, "Later", "s", "later"));
        var (exitCode, _, error) = Tool.Run("busctl", $"--address={_bus.Address}", "call", Name, Sample.Path, Sample.InterfaceName, "Refuse");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("no: a", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Gdbus_reads_managed_objects_and_properties()
    {
        Need("gdbus");
        var objects = Gdbus("call", "--object-path", "/org/example", "--method", "org.freedesktop.DBus.ObjectManager.GetManagedObjects");
        Assert.Contains($"objectpath '{Sample.Path}'", objects, StringComparison.Ordinal);
        Assert.Contains("'Blockers': <[(uint32 42, 'sleeper'), (43, '')]>", objects, StringComparison.Ordinal);
        Assert.Contains("'Extra': <{'on': <true>, 'names': <['a', 'b']>}>", objects, StringComparison.Ordinal);
        var introspection = Gdbus("introspect", "--object-path", Sample.Path);
        Assert.Contains("interface org.example.Sample1 {", introspection, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gdbus_hears_change_signals()
    {
        Need("gdbus");
        using var monitor = Process.Start(new ProcessStartInfo("gdbus", ["monitor", "--address", _bus.Address, "--dest", Name])
        {
            RedirectStandardOutput = true,
        })!;
        try
        {
            var heard = Task.Run(
                () =>
                {
                    while (monitor.StandardOutput.ReadLine() is { } line)
                    {
                        if (line.Contains("PropertiesChanged", StringComparison.Ordinal))
                        {
                            return line;
                        }
                    }

                    return "";
                },
                TestContext.Current.CancellationToken);
            _sample.Count = 5;
            // The monitor says when it knows the owner, not when it listens: announce until it has heard one.
            await Eventually.Becomes(() =>
            {
                _server.EmitPropertiesChanged(Sample.Path, Sample.InterfaceName, "Count");
                return heard.IsCompleted;
            });
            Assert.Contains("('org.example.Sample1', {'Count': <uint64 5>}, @as [])", await heard, StringComparison.Ordinal);
        }
        finally
        {
            monitor.Kill();
        }
    }

    [Fact]
    public void The_senders_user_is_known()
    {
        using var client = _bus.Connect();
        var (sender, uid) = client.Call(Name, Sample.Path, Sample.InterfaceName, "WhoAmI", Sample.Limit, null, "su", r => (r.ReadString(), r.ReadUInt32())).Value;
        Assert.Equal(client.UniqueName, sender);
        Assert.StartsWith(":", sender, StringComparison.Ordinal);
        Assert.Equal(geteuid(), uid);
    }

    [Fact]
    public void Another_users_call_carries_that_user()
    {
        Need("busctl");
        Need("setpriv");
        Assert.SkipUnless(geteuid() == 0, "only root can call as somebody else");
        var answer = Tool.Succeed(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "busctl", $"--address={_bus.Address}", "call", Name, Sample.Path, Sample.InterfaceName, "WhoAmI");
        Assert.Equal(65534, int.Parse(answer.Trim().Split(' ')[^1], CultureInfo.InvariantCulture));
    }

    /// <summary>A bus lets each peer wait for so many answers; calls that want none would be work without a bound.</summary>
    [Fact]
    public void What_nobody_hears_is_not_read()
    {
        Need("busctl");
        string[][] reads =
        [
            ["/org/example", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"],
            [Sample.Path, "org.freedesktop.DBus.Properties", "GetAll", "s", Sample.InterfaceName],
            [Sample.Path, "org.freedesktop.DBus.Properties", "Get", "ss", Sample.InterfaceName, "Count"],
        ];
        foreach (var read in reads)
        {
            var before = _sample.CountReads;
            Busctl(["call", "--expect-reply=no", Name, .. read]);
            // It comes to the bus, and to the server, after the one before.
            Busctl("call", Name, Sample.Path, "org.freedesktop.DBus.Peer", "Ping");
            Assert.Equal(before, _sample.CountReads);
            Busctl(["call", Name, .. read]);
            Assert.True(_sample.CountReads > before, read[2]);
        }
    }

    private static void Need(string program) => Assert.SkipUnless(Tool.Exists(program), $"{program} is not installed");

    [LibraryImport("libc")]
    private static partial uint geteuid();

    private string Busctl(params string[] arguments) => Tool.Succeed("busctl", [$"--address={_bus.Address}", .. arguments]);

    private string Gdbus(string verb, params string[] arguments) =>
        Tool.Succeed("gdbus", [verb, "--address", _bus.Address, "--dest", Name, .. arguments]);
}
