// Messages of a peer: the first byte says what is read, the rest is the body. They come over a socket and through sd-bus, as any peer's do.
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using LivePatchd.Bus;

namespace LivePatchd.Fuzz.Targets;

internal static class BusTargets
{
    private const int MaxText = 255;
    private const int MaxArguments = 4096;
    private const string Dropped = "org.livepatchd.Fuzz.Error.Dropped";

    /// <param name="Signature">Null: the input begins with it.</param>
    private sealed record Shape(string? Signature, Func<BusReader, string> Read);

    // What the two programs read of callers, of polkit, of systemd and of each other.
    private static readonly Shape[] Shapes =
    [
        new("a{sv}", static r => Options(r.ReadOptions())),
        new("sa{sv}", static r => $"{Expect.Size(r.ReadString(MaxText).Length)} {Options(r.ReadOptions())}"),
        new("a{sv}", static r => Values(r.ReadProperties())),
        new("a{oa{sa{sv}}}", static r => Expect.Size(r.ReadArray("{oa{sa{sv}}}", static e =>
        {
            e.EnterDictEntry("oa{sa{sv}}");
            _ = e.ReadObjectPath();
            e.ReadArray("{sa{sv}}", static i =>
            {
                i.EnterDictEntry("sa{sv}");
                var name = i.ReadString();
                _ = i.ReadProperties();
                i.Exit();
                return name;
            });
            e.Exit();
            return 0;
        }).Count)),
        new("v", static r => Kind(r.ReadValue())),
        new("a(ssssssouso)", static r => Expect.Size(r.ReadArray("(ssssssouso)", static e => e.ReadStruct("ssssssouso", static u =>
        {
            for (var i = 0; i < 6; i++)
                _ = u.ReadString();
            _ = u.ReadObjectPath();
            _ = u.ReadUInt32();
            _ = u.ReadString();
            return u.ReadObjectPath();
        })).Count)),
        new("a(sst)", static r => Expect.Size(r.ReadArray("(sst)", static e => e.ReadStruct("sst", static h => (h.ReadString(), h.ReadString(), h.ReadUInt64())), maxItems: 16).Count)),
        new("ay", static r => Expect.Size(r.ReadBytes().Length)),
        new("as", static r => Expect.Size(r.ReadStrings(maxItems: 64).Length)),
        new("bba{ss}", static r => $"{r.ReadBool()} {r.ReadBool()} {Kind(r.ReadValue())}"),
        new("(uos)", static r => r.ReadStruct("uos", static j => $"{Expect.Size(j.ReadUInt32())} {Expect.Size(j.ReadObjectPath().Length)} {Expect.Size(j.ReadString().Length)}")),
        new(null, static r => $"{r.Signature.Length} {r.FitsInto(MaxArguments)}"),
        new(null, static r =>
        {
            var kinds = new List<string>();
            while (!r.AtEnd && kinds.Count < 8)
                kinds.Add(Kind(r.ReadValue()));
            return string.Join(' ', kinds);
        }),
    ];

    public static IReadOnlyList<Target> List { get; } =
    [
        new Target<string>("bus", static input => Peer.Of(Environment.CurrentManagedThreadId).Read(input), static (_, kind) => kind)
        {
            Made =
            [
                [0, .. Options(("override-gates", 'b', [1, 0, 0, 0]), ("deadline-usec", 't', [1, 2, 3, 4, 5, 6, 0, 0]))],
                [0, .. Number(0)], [0],
                [1, .. Text("lp_one"), 0, .. Options(("confirm", 'b', [1, 0, 0, 0]))],
                [2, .. Options(("Name", 's', Text("lp_one")))],
                [4, 2, (byte)'a', (byte)'y', 0, 3, 0, 0, 0, 1, 2, 3], [4, 1, (byte)'v', 0, 1, (byte)'y', 0, 7],
                [7, .. Number(3), 1, 2, 3], [8, .. Number(7), .. Text("a")],
                [9, .. Number(1), .. Number(0), .. Number(0)],
                [10, .. Number(1), .. Text("/a"), 0, .. Text("done")],
                [11, 1, (byte)'s', .. Text("word")], [11, 2, (byte)'a', (byte)'s', .. Number(7), .. Text("a")],
                [12, 2, (byte)'u', (byte)'s', .. Number(1), .. Text("a")], [12, 5, .. "a{sv}"u8, .. Options(("a", 'y', [1]))], [12, 4, .. "(yv)"u8, 1, 1, (byte)'y', 0, 2],
            ],
            Words = Words.Of("a{sv}", "(sv)", "aaaaaaaa", "vvvv", "((((", "\u0001v\0", "\u0001s\0", "\u0002ay\0", "\u0001h\0", "\u00ff\u00ff\u00ff\u00ff", "\0\0\0\u0004", "/a/b", "\u00ff\u00fe"),
        },
    ];

    private static string Options(Dictionary<string, object> options)
    {
        Expect.That(options.Count <= BusReader.MaxOptions, "more options than are let in");
        Expect.That(options.Keys.All(static k => Encoding.UTF8.GetByteCount(k) <= BusReader.MaxOptionBytes), "a name is longer than an option may be");
        Expect.That(options.Values.OfType<string>().All(static v => Encoding.UTF8.GetByteCount(v) <= BusReader.MaxOptionBytes), "a text is longer than an option may be");
        return Values(options);
    }

    private static string Values(Dictionary<string, object> values) => $"{Expect.Size(values.Count)} {string.Join(' ', values.Values.Take(3).Select(Kind))}";

    private static string Kind(object value) => value switch
    {
        object[] items => $"{items.Length switch { 0 => "no", 1 => "one", _ => "some" }} {(items.Length > 0 ? items[0].GetType().Name : "")}",
        Dictionary<string, object> entries => $"{Expect.Size(entries.Count)} entries",
        _ => value.GetType().Name,
    };

    private static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Text(string value) => [.. Number((uint)Encoding.UTF8.GetByteCount(value)), .. Encoding.UTF8.GetBytes(value), 0];

    /// <summary>An a{sv} that begins at a multiple of eight.</summary>
    private static byte[] Options(params (string Name, char Type, byte[] Value)[] entries)
    {
        var body = new List<byte>();
        foreach (var (name, type, value) in entries)
        {
            Align(body, 8);
            body.AddRange([.. Text(name), 1, (byte)type, 0]);
            Align(body, type is 't' ? 8 : type is 'y' ? 1 : 4);
            body.AddRange(value);
        }
        return [.. Number((uint)body.Count), 0, 0, 0, 0, .. body];
    }

    private static void Align(List<byte> bytes, int to)
    {
        while (bytes.Count % to != 0)
            bytes.Add(0);
    }

    /// <summary>Both ends of a connection without a bus: the answer lies in the socket before the call is made.</summary>
    private sealed class Peer : IDisposable
    {
        private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
        private static readonly ConcurrentDictionary<int, Peer> ByThread = [];

        private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly string name = $"livepatchd-fuzz-{Guid.NewGuid():N}";
        private readonly byte[] scratch = new byte[1 << 16];
        private Socket? socket;
        private BusClient? client;
        private uint serial;

        private Peer()
        {
            listener.Bind(new UnixDomainSocketEndPoint("\0" + name));
            listener.Listen();
        }

        public static Peer Of(int thread) => ByThread.GetOrAdd(thread, static _ => new Peer());

        public string Read(ReadOnlySpan<byte> input)
        {
            if (input.IsEmpty)
                return "nothing";
            var shape = Shapes[input[0] % Shapes.Length];
            var body = input[1..];
            var signature = shape.Signature;
            if (signature is null)
            {
                if (body.IsEmpty || body.Length <= body[0])
                    return "no signature";
                signature = Encoding.Latin1.GetString(body.Slice(1, body[0]));
                body = body[(body[0] + 1)..];
            }
            Connect();
            socket!.Send([.. Answer(signature, body), .. Refusal()]);
            var read = client!.Call("org.livepatchd.Fuzz", "/", "org.livepatchd.Fuzz", "Read", Limit, null, signature, shape.Read);
            while (socket.Available > 0)
                _ = socket.Receive(scratch);
            if (read.IsOk)
                return $"{input[0] % Shapes.Length}: {read.Value}";
            Expect.That(!read.Error.IsTimeout, "a message was neither read, refused nor dropped");
            if (read.Error.Name == Dropped)
                return $"{input[0] % Shapes.Length}: dropped";
            // What sd-bus itself takes for no message ends the connection.
            if (read.Error.Name != BusErrorNames.InconsistentMessage)
                Disconnect();
            return $"{input[0] % Shapes.Length}: {read.Error.Name} {read.Error.Message.Split('"')[0]}";
        }

        private byte[] Answer(string signature, ReadOnlySpan<byte> body)
        {
            serial++;
            return Message(2, [8, 1, (byte)'g', 0, (byte)signature.Length, .. Encoding.Latin1.GetBytes(signature), 0], body);
        }

        /// <summary>
        /// Of the same call: sd-bus drops what it takes for no message (a signature that is none, say), and without a second answer the call would
        /// wait for its limit. After a good one it is not looked at.
        /// </summary>
        private byte[] Refusal() => Message(3, [4, 1, (byte)'s', 0, .. Text(Dropped)], []);

        private byte[] Message(byte kind, ReadOnlySpan<byte> field, ReadOnlySpan<byte> body)
        {
            var bytes = new List<byte> { (byte)'l', kind, 1, 1 };
            bytes.AddRange([.. Number((uint)body.Length), .. Number(serial), .. Number(0)]);
            bytes.AddRange([5, 1, (byte)'u', 0, .. Number(serial)]);
            bytes.AddRange(field);
            var fields = bytes.Count - 16;
            Align(bytes, 8);
            var message = new byte[bytes.Count + body.Length];
            bytes.CopyTo(message);
            BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(12), fields);
            body.CopyTo(message.AsSpan(bytes.Count));
            return message;
        }

        private void Connect()
        {
            if (client is not null)
                return;
            var greeted = Task.Run(Greet);
            var opened = BusClient.Connect(BusAddress.Peer($"unix:abstract={name}"));
            socket = greeted.GetAwaiter().GetResult();
            Expect.That(opened.IsOk, "no connection");
            client = opened.Value;
            serial = 0;
        }

        private Socket Greet()
        {
            var accepted = listener.Accept();
            var heard = "";
            while (!heard.EndsWith("BEGIN\r\n", StringComparison.Ordinal))
            {
                var count = accepted.Receive(scratch);
                Expect.That(count > 0, "no greeting");
                heard += Encoding.Latin1.GetString(scratch, 0, count);
            }
            accepted.Send(Encoding.ASCII.GetBytes($"{(heard.Contains("DATA\r\n", StringComparison.Ordinal) ? "DATA\r\n" : "")}OK {new string('0', 31)}1\r\n{(heard.Contains("NEGOTIATE", StringComparison.Ordinal) ? "AGREE_UNIX_FD\r\n" : "")}"));
            return accepted;
        }

        /// <summary>At the end of the process, which does it by itself.</summary>
        public void Dispose()
        {
            Disconnect();
            listener.Dispose();
        }

        private void Disconnect()
        {
            client?.Dispose();
            socket?.Dispose();
            (client, socket) = (null, null);
        }
    }
}
