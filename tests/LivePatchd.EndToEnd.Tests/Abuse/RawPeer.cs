// A peer that speaks D-Bus by its own hand: as fast as the bus takes it, and also what no library would send.
using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LivePatchd.Core.Model;

namespace LivePatchd.EndToEnd.Tests.Abuse;

internal sealed class RawPeer : IDisposable
{
    private const int FlagsOffset = 2;
    private const int SerialOffset = 8;
    private const byte NoReplyExpected = 1;

    private readonly Socket socket;
    private readonly bool answersCalls;
    private uint serial;
    private long answers;
    private long errors;
    private long busAnswers;
    private long calls;
    private byte[]? answer;
    private volatile bool closed;

    /// <param name="answersCalls">Each call that asks for an answer gets an empty one; else calls are counted and that is all.</param>
    /// <param name="reads">False: whatever the bus sends it stays in the socket, and then in the bus.</param>
    public RawPeer(PrivateBus bus, uint uid, bool answersCalls = false, bool reads = true)
    {
        this.answersCalls = answersCalls;
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
        if (reads)
            new Thread(Listen) { IsBackground = true, Name = "raw peer" }.Start();
        Send(Call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", []));
    }

    /// <summary>Method returns and errors that have come.</summary>
    public long Answers => Interlocked.Read(ref answers);

    /// <summary>Those of them that the bus itself gave, in place of who was called.</summary>
    public long BusAnswers => Interlocked.Read(ref busAnswers);

    /// <summary>Calls that have come to this peer.</summary>
    public long Calls => Interlocked.Read(ref calls);

    public long Errors => Interlocked.Read(ref errors);

    /// <summary>The bus has thrown it out.</summary>
    public bool IsClosed => closed;

    public static byte[] OfManager(string member, string signature, byte[] body, bool reply = true, string to = BusNames.Service) =>
        Call(to, BusNames.ManagerPath, BusNames.Manager, member, signature, body, reply);

    /// <summary>As <see cref="Call"/>: to one connection, whatever it listens to.</summary>
    public static byte[] Signal(string destination, string path, string iface, string member, string signature, byte[] body)
    {
        var message = Call(destination, path, iface, member, signature, body, reply: false);
        message[1] = 4;
        return message;
    }

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

    /// <summary>A string, and what it takes for a number to follow.</summary>
    public static byte[] TextAligned(string value)
    {
        var bytes = new List<byte>(Text(value));
        Align(bytes, 4);
        return [.. bytes];
    }

    /// <summary>A string, then an a{sv} without entries.</summary>
    public static byte[] TextAndOptions(string value)
    {
        var bytes = new List<byte>(TextAligned(value));
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

    /// <summary>Many messages in one write, each with its serial.</summary>
    /// <param name="starts">Where in the bytes each begins.</param>
    /// <param name="asking">So many of them, the first ones, ask for an answer.</param>
    /// <returns>False once the bus has closed the connection.</returns>
    public bool Send(byte[] messages, IReadOnlyList<int> starts, int asking)
    {
        for (var i = 0; i < starts.Count; i++)
        {
            messages[starts[i] + FlagsOffset] = i < asking ? (byte)0 : NoReplyExpected;
            BinaryPrimitives.WriteUInt32LittleEndian(messages.AsSpan(starts[i] + SerialOffset), ++serial);
        }
        return SendBytes(messages);
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
                // The fields come first, and a header that is not all in the first part is of no message that is sent here.
                var first = Math.Min(left, rest.Length);
                stream.ReadExactly(rest, 0, first);
                left -= first;
                Take(head, rest.AsSpan(0, Math.Min(first, fields)));
                while (left > 0)
                {
                    var part = Math.Min(left, rest.Length);
                    stream.ReadExactly(rest, 0, part);
                    left -= part;
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException)
        {
            closed = true;
        }
    }

    private void Take(ReadOnlySpan<byte> head, ReadOnlySpan<byte> fields)
    {
        switch (head[1])
        {
            case 1:
                if (answersCalls && (head[FlagsOffset] & NoReplyExpected) == 0)
                    Answer(head, fields);
                Interlocked.Increment(ref calls);
                break;
            case 2 or 3:
                if (SenderOf(fields).SequenceEqual("org.freedesktop.DBus"u8))
                    Interlocked.Increment(ref busAnswers);
                if (head[1] is 3)
                    Interlocked.Increment(ref errors);
                Interlocked.Increment(ref answers);
                break;
        }
    }

    /// <summary>All calls of one caller: made once, and sent with other numbers in it.</summary>
    private void Answer(ReadOnlySpan<byte> head, ReadOnlySpan<byte> fields)
    {
        const int ReplySerialOffset = 20;
        if (answer is null)
        {
            var bytes = new List<byte> { (byte)'l', 2, 1, 1 };
            Number(bytes, 0);
            Number(bytes, 0);
            Number(bytes, 0);
            bytes.AddRange([5, 1, (byte)'u', 0]);
            Number(bytes, 0);
            bytes.AddRange([6, 1, (byte)'s', 0, .. Text(Encoding.ASCII.GetString(SenderOf(fields)))]);
            var length = bytes.Count - 16;
            Align(bytes, 8);
            answer = [.. bytes];
            BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(12), length);
        }
        head.Slice(SerialOffset, 4).CopyTo(answer.AsSpan(ReplySerialOffset));
        Send(answer);
    }

    private static ReadOnlySpan<byte> SenderOf(ReadOnlySpan<byte> fields)
    {
        const byte Sender = 7;
        for (var at = 0; at + 8 <= fields.Length; at = (at + 7) & ~7)
        {
            var (code, type) = (fields[at], (char)fields[at + 2]);
            at += 4;
            var number = BinaryPrimitives.ReadInt32LittleEndian(fields[at..]);
            if (code == Sender)
                return fields.Slice(at + 4, number);
            at += type switch
            {
                'u' => 4,
                'g' => fields[at] + 2,
                _ => 4 + number + 1,
            };
        }
        return [];
    }
}
