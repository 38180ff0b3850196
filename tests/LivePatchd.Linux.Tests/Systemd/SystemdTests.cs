// sd_notify and the journal protocol, against real sockets.
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Pipes;
using System.Net.Sockets;
using System.Text;
using LivePatchd.Linux.Systemd;
using Microsoft.Win32.SafeHandles;

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

    [Fact]
    public void A_journal_that_hangs_costs_its_records_and_not_the_time_of_who_logs()
    {
        root.MakeDirectory("/run/systemd/journal");
        using var journald = Listen(root.Path("/run/systemd/journal/socket"));
        using var fallback = new MemoryStream();
        var time = new SetTime();
        using var sink = new JournalSink(root.Root, fallback, time);
        var taken = 0;
        do
        {
            Assert.True(++taken < 10_000);
            sink.Send(6, $"record {taken}", []);
        }
        while (sink.Connected);

        // A wait for each, however short, would be many times as long as this in all.
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; i < 200; i++)
            sink.Send(6, "nobody reads this", []);
        Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(15), $"{Stopwatch.GetElapsedTime(begin)}");
        Assert.False(sink.Connected);
        Assert.Empty(fallback.ToArray());

        for (var i = 1; i < taken; i++)
            Assert.Contains(("MESSAGE", $"record {i}"), Fields(ReceiveBytes(journald)));
        sink.Send(6, "too soon", []);
        time.Now += TimeSpan.FromSeconds(6);
        sink.Send(6, "again", []);
        Assert.True(sink.Connected);
        Assert.Contains(("MESSAGE", "202 messages were dropped, because the journal did not take them"), Fields(ReceiveBytes(journald)));
        Assert.Contains(("MESSAGE", "again"), Fields(ReceiveBytes(journald)));
        sink.Send(6, "and again", []);
        Assert.Contains(("MESSAGE", "and again"), Fields(ReceiveBytes(journald)));
    }

    [Fact]
    public async Task Standard_error_that_nobody_reads_is_not_waited_for()
    {
        using var reader = new AnonymousPipeServerStream(PipeDirection.In);
        using var pipe = new SafeFileHandle(reader.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        using var stream = new AnonymousPipeClientStream(PipeDirection.Out, reader.ClientSafePipeHandle);
        using var sink = new JournalSink(root.Root, stream, fallbackFd: pipe);
        var sending = Task.Run(
            () =>
            {
                for (var i = 0; i < 200; i++)
                    sink.Send(6, new string('ä', 5000), []);
            },
            TestContext.Current.CancellationToken);
        await sending.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_stream_to_the_journal_is_told_from_others()
    {
        using var other = File.OpenHandle(root.Write("/other", "x"));
        // What stat prints is what systemd puts into the variable.
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%d:%i", root.Path("/other")]) { RedirectStandardOutput = true })!;
        var stream = stat.StandardOutput.ReadToEnd().Trim();
        Assert.True(JournalSink.IsOfJournal(other, stream), stream);
        Assert.False(JournalSink.IsOfJournal(other, stream + "0"));
        Assert.False(JournalSink.IsOfJournal(other, "1" + stream));
        Assert.False(JournalSink.IsOfJournal(other, "journal"));
        Assert.False(JournalSink.IsOfJournal(other, null));
    }

    private sealed class SetTime : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
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
