// Stands where journald listens and keeps every record with its fields.
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace LivePatchd.EndToEnd.Tests;

internal sealed class LogSocket : IDisposable
{
    private const string Mark = "TEST_MARK=";

    private static readonly byte[] MarkBytes = Encoding.ASCII.GetBytes(Mark);

    private readonly Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly ConcurrentQueue<IReadOnlyDictionary<string, string>> records = [];
    private readonly List<string> expected = [];
    private long asked;
    private long caughtUp;

    public LogSocket(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        new Thread(Run) { IsBackground = true, Name = "log" }.Start();
    }

    /// <summary>Everything that was sent before the question, however late the reading thread gets a processor.</summary>
    public IReadOnlyCollection<IReadOnlyDictionary<string, string>> Records
    {
        get
        {
            CatchUp();
            return records;
        }
    }

    public string Text => string.Join('\n', Records.Select(r => $"<{r["PRIORITY"]}> {r["MESSAGE"]}"));

    /// <summary>Records of a patch with this reason.</summary>
    public bool Says(string patch, string reason) => Records.Any(r =>
        r.GetValueOrDefault("LIVEPATCH_NAME") == patch && r.GetValueOrDefault("LIVEPATCH_REASON") == reason);

    public int Count(string part) => Records.Count(r => r["MESSAGE"].Contains(part, StringComparison.Ordinal));

    /// <summary>An error that the test provokes.</summary>
    public void Expects(string part) => expected.Add(part);

    /// <summary>Errors that no test asked for: bugs.</summary>
    public IEnumerable<string> Errors =>
        Records.Where(r => r["PRIORITY"] is "0" or "1" or "2" or "3").Select(r => r["MESSAGE"]).Where(m => !expected.Any(e => m.Contains(e, StringComparison.Ordinal)));

    public void Dispose()
    {
        CatchUp();
        socket.Dispose();
    }

    /// <summary>Datagrams keep their order: once our own has been read, so have those before it.</summary>
    private void CatchUp()
    {
        try
        {
            var mark = Interlocked.Increment(ref asked);
            using var self = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            self.SendTo(Encoding.ASCII.GetBytes(Mark + mark.ToString(CultureInfo.InvariantCulture)), socket.LocalEndPoint!);
            SpinWait.SpinUntil(() => Interlocked.Read(ref caughtUp) >= mark, Limit.Call);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Nobody listens any more: what was read is all there is.
        }
    }

    private void Run()
    {
        var buffer = new byte[1 << 16];
        try
        {
            while (true)
            {
                var datagram = buffer.AsSpan(0, socket.Receive(buffer));
                if (datagram.StartsWith(MarkBytes))
                    Interlocked.Exchange(ref caughtUp, Math.Max(caughtUp, long.Parse(datagram[MarkBytes.Length..], CultureInfo.InvariantCulture)));
                else
                    records.Enqueue(Parse(datagram));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static Dictionary<string, string> Parse(ReadOnlySpan<byte> datagram)
    {
        var fields = new Dictionary<string, string> { ["MESSAGE"] = "", ["PRIORITY"] = "" };
        while (!datagram.IsEmpty)
        {
            var line = datagram[..datagram.IndexOf((byte)'\n')];
            var equals = line.IndexOf((byte)'=');
            if (equals >= 0)
            {
                fields[Encoding.UTF8.GetString(line[..equals])] = Encoding.UTF8.GetString(line[(equals + 1)..]);
                datagram = datagram[(line.Length + 1)..];
                continue;
            }
            var value = datagram[(line.Length + 1)..];
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(value);
            fields[Encoding.UTF8.GetString(line)] = Encoding.UTF8.GetString(value.Slice(sizeof(long), length));
            datagram = value[(sizeof(long) + length + 1)..];
        }
        return fields;
    }
}
