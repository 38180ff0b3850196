// A peer that speaks D-Bus by its own hand: as fast as the bus takes it, and also what no library would send.
using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LivePatchd.Core.Model;

namespace LivePatchd.EndToEnd.Tests.Abuse;

internal sealed class RawPeer : IDisposable
{
    private const int SerialOffset = 8;

    private readonly Socket socket;
    private uint serial;
    private long answers;
    private long errors;
    private volatile bool closed;

    public RawPeer(PrivateBus bus, uint uid)
    {
        socket = UserClient.Run(uid, () =>
        {
            var made = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            made.Connect(new UnixDomainSocketEndPoint(bus.Address["unix:path=".Length..]));
            return made;
        });
        var name = Convert.ToHexString(Encoding.ASCII.GetBytes(uid.ToString(CultureInfo.InvariantCulture)));
        socket.Send(Encoding.ASCII.GetBytes($"\0AUTH EXTERNAL {name}\r\n"));
        var answer = new byte[256];
        Assert.StartsWith("OK ", Encoding.ASCII.GetString(answer, 0, socket.Receive(answer)), StringComparison.Ordinal);
        socket.Send("BEGIN\r\n"u8);
        new Thread(Listen) { IsBackground = true, Name = "raw peer" }.Start();
        Send(Call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", []));
    }

    /// <summary>Method returns and errors that have come.</summary>
    public long Answers => Interlocked.Read(ref answers);

    public long Errors => Interlocked.Read(ref errors);

    /// <summary>The bus has thrown it out.</summary>
    public bool IsClosed => closed;

    public static byte[] OfManager(string member, string signature, byte[] body, bool reply = true) =>
        Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, member, signature, body, reply);

    /// <summary>A message whose serial is set when it is sent.</summary>
    public static byte[] Call(string destination, string path, string iface, string member, string signature, byte[] body, bool reply = true)
    {
        var bytes = new List<byte> { (byte)'l', 1, (byte)(reply ? 0 : 1), 1 };
        Number(bytes, body.Length);
        Number(bytes, 0);
        Number(bytes, 0);
        foreach (var (code, type, value) in new[] { (1, 'o', path), (2, 's', iface), (3, 's', member), (6, 's', destination), (8, 'g', signature) })
        {
            if (value.Length == 0)
                continue;
            Align(bytes, 8);
            bytes.AddRange([(byte)code, 1, (byte)type, 0]);
            if (type == 'g')
                bytes.AddRange([(byte)value.Length, .. Encoding.ASCII.GetBytes(value), 0]);
            else
                bytes.AddRange(Text(value));
        }
        var message = bytes.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(12), message.Length - 16);
        Align(bytes, 8);
        var padded = new byte[bytes.Count + body.Length];
        message.CopyTo(padded, 0);
        body.CopyTo(padded, bytes.Count);
        return padded;
    }

    /// <summary>A string as it stands at the begin of a body.</summary>
    public static byte[] Text(string value)
    {
        var bytes = new List<byte>();
        Number(bytes, Encoding.UTF8.GetByteCount(value));
        bytes.AddRange(Encoding.UTF8.GetBytes(value));
        bytes.Add(0);
        return [.. bytes];
    }

    /// <summary>A string, then an a{sv} without entries.</summary>
    public static byte[] TextAndOptions(string value)
    {
        var bytes = new List<byte>(Text(value));
        Align(bytes, 4);
        Number(bytes, 0);
        Align(bytes, 8);
        return [.. bytes];
    }

    /// <returns>False once the bus has closed the connection.</returns>
    public bool Send(byte[] message)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(SerialOffset), ++serial);
        return SendBytes(message);
    }

    public bool SendBytes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
                bytes = bytes[socket.Send(bytes)..];
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public void Dispose() => socket.Dispose();

    private static void Number(List<byte> bytes, int value)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(number, value);
        bytes.AddRange(number);
    }

    private static void Align(List<byte> bytes, int to)
    {
        while (bytes.Count % to != 0)
            bytes.Add(0);
    }

    private void Listen()
    {
        try
        {
            using var stream = new BufferedStream(new NetworkStream(socket), 1 << 16);
            var head = new byte[16];
            var rest = new byte[1 << 16];
            while (true)
            {
                stream.ReadExactly(head);
                var fields = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(12));
                var left = ((fields + 7) & ~7) + BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(4));
                while (left > 0)
                {
                    var part = Math.Min(left, rest.Length);
                    stream.ReadExactly(rest, 0, part);
                    left -= part;
                }
                if (head[1] is 2 or 3)
                    Interlocked.Increment(ref answers);
                if (head[1] is 3)
                    Interlocked.Increment(ref errors);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException)
        {
            closed = true;
        }
    }
}
