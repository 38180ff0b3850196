// sd_notify and the journal protocol, against real sockets.
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using LivePatchd.Linux.Systemd;

namespace LivePatchd.Linux.Tests.Systemd;

public sealed class SystemdTests : IDisposable
{
    private readonly FakeRoot root = new();

    public void Dispose() => root.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_notification_is_one_datagram(bool isAbstract)
    {
        var path = root.Path("/notify");
        using var systemd = Listen(isAbstract ? "\0" + path : path);
        using var notifier = new Notifier(isAbstract ? "@" + path : path, TimeSpan.FromSeconds(60));
        Assert.True(notifier.Active);

        notifier.Ready();
        Assert.Equal("READY=1", Receive(systemd));
        notifier.Status("2 active\nREADY=1 \u001b[31m1 held");
        Assert.Equal("STATUS=2 active?READY=1 ?[31m1 held", Receive(systemd));
        notifier.Watchdog();
        Assert.Equal("WATCHDOG=1", Receive(systemd));
        notifier.Reloading(1234567);
        Assert.Equal("RELOADING=1\nMONOTONIC_USEC=1234567", Receive(systemd));
        notifier.Stopping();
        Assert.Equal("STOPPING=1", Receive(systemd));
        notifier.Status(new string('x', 10_000));
        Assert.InRange(Receive(systemd).Length, 1, 600);
    }

    [Fact]
    public void A_service_that_nobody_watches_sends_no_signs_of_life()
    {
        var path = root.Path("/notify");
        using var systemd = Listen(path);
        using var notifier = new Notifier(path, null);
        notifier.Watchdog();
        notifier.Ready();
        Assert.Equal("READY=1", Receive(systemd));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("relative")]
    [InlineData("vsock:2:1")]
    public void Without_systemd_nothing_happens(string? socket)
    {
        using var notifier = new Notifier(socket, null);
        Assert.False(notifier.Active);
        notifier.Ready();
        notifier.Status("x");
    }

    [Fact]
    public void A_socket_that_nobody_reads_does_no_harm()
    {
        using var notifier = new Notifier(root.Path("/nobody"), null);
        Assert.True(notifier.Active);
        notifier.Ready();
        using var tooLong = new Notifier("/" + new string('x', 200), null);
        Assert.False(tooLong.Active);
    }

    [Theory]
    [InlineData("2000000", null, 2)]
    [InlineData("2000000", "", 2)]
    [InlineData("2000000", "42", 2)]
    [InlineData("2000000", "43", null)]
    [InlineData("0", null, null)]
    [InlineData("-1", null, null)]
    [InlineData("18446744073709551615", null, null)]
    [InlineData("soon", null, null)]
    [InlineData(null, null, null)]
    public void The_watchdog_is_for_the_process_named(string? microseconds, string? pid, int? seconds) =>
        Assert.Equal(seconds is { } s ? TimeSpan.FromSeconds(s) : null, Notifier.ParseWatchdog(microseconds, pid, ownPid: 42));

    [Fact]
    public void Records_go_to_the_journal_with_their_fields()
    {
        root.MakeDirectory("/run/systemd/journal");
        using var journald = Listen(root.Path("/run/systemd/journal/socket"));
        using var fallback = new MemoryStream();
        using var sink = new JournalSink(root.Root, fallback);
        Assert.True(sink.Connected);

        sink.Send(4, "patch held", [("PATCH", "lp_one"), ("_PID", "1"), ("bad name", "x"), ("LIVEPATCH_REASON", "a\nPRIORITY=0")]);

        Assert.Equal(
            [("MESSAGE", "patch held"), ("PRIORITY", "4"), ("SYSLOG_IDENTIFIER", "livepatchd"), ("PATCH", "lp_one"), ("LIVEPATCH_REASON", "a\nPRIORITY=0")],
            Fields(ReceiveBytes(journald)));
        Assert.Empty(fallback.ToArray());
        Assert.True(sink.Connected);
    }

    [Fact]
    public void A_journal_that_goes_away_is_replaced_by_standard_error()
    {
        root.MakeDirectory("/run/systemd/journal");
        var path = root.Path("/run/systemd/journal/socket");
        var journald = Listen(path);
        using var fallback = new MemoryStream();
        using var sink = new JournalSink(root.Root, fallback);
        journald.Dispose();
        File.Delete(path);

        sink.Send(3, "lost\ntwo\u001b", []);
        Assert.Equal("<3>lost\n<3>two?\n", Encoding.UTF8.GetString(fallback.ToArray()));
        Assert.False(sink.Connected);

        using var restarted = Listen(path);
        sink.Send(3, "back", []);
        Assert.True(sink.Connected);
        Assert.Contains(("MESSAGE", "back"), Fields(ReceiveBytes(restarted)));
    }

    [Fact]
    public void Without_a_journal_lines_carry_their_priority()
    {
        using var fallback = new MemoryStream();
        using var sink = new JournalSink(root.Root, fallback);
        sink.Send(9, "x", [("PATCH", "lp")]);
        Assert.False(sink.Connected);
        Assert.Equal("<7>x\n", Encoding.UTF8.GetString(fallback.ToArray()));
    }

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
        socket.Bind(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    private static byte[] ReceiveBytes(Socket socket)
    {
        var buffer = new byte[65536];
        return buffer[..socket.Receive(buffer)];
    }

    private static string Receive(Socket socket) => Encoding.UTF8.GetString(ReceiveBytes(socket));

    private static List<(string Field, string Value)> Fields(byte[] datagram)
    {
        var fields = new List<(string, string)>();
        var rest = datagram.AsSpan();
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)'\n');
            var line = rest[..end];
            rest = rest[(end + 1)..];
            if (line.IndexOf((byte)'=') is >= 0 and var equals)
            {
                fields.Add((Encoding.UTF8.GetString(line[..equals]), Encoding.UTF8.GetString(line[(equals + 1)..])));
                continue;
            }
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(rest);
            fields.Add((Encoding.UTF8.GetString(line), Encoding.UTF8.GetString(rest.Slice(8, length))));
            Assert.Equal((byte)'\n', rest[8 + length]);
            rest = rest[(9 + length)..];
        }
        return fields;
    }
}
