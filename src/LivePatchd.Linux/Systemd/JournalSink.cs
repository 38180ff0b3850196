// Log records with fields to systemd's journal by its native protocol; to standard error where there is no journal.
using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Linux.Systemd;

/// <summary>Thread-safe. Never throws and never waits long: a log that cannot be written is no reason to stop.</summary>
public sealed class JournalSink : IDisposable
{
    private const int MaxValueBytes = 16 << 10;
    private const int MaxFieldName = 64;

    private readonly Lock gate = new();
    private readonly ArrayBufferWriter<byte> datagram = new(1024);
    private readonly UnixDomainSocketEndPoint address;
    private readonly Stream fallback;
    private readonly Socket? socket;

    public JournalSink(SystemRoot root)
        : this(root, Console.OpenStandardError())
    {
    }

    internal JournalSink(SystemRoot root, Stream fallback)
    {
        this.fallback = fallback;
        var path = root.Path("/run/systemd/journal/socket");
        address = new UnixDomainSocketEndPoint(path);
        // Once absent, absent for the life of the process: a host without journald has none later either.
        if (!File.Exists(path))
            return;
        socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = 1000 };
        Connected = true;
    }

    /// <summary>The last record went to the journal.</summary>
    public bool Connected { get; private set; }

    /// <param name="priority">0 (emergency) to 7 (debug).</param>
    /// <param name="fields">Names of A-Z, 0-9 and '_' that begin with a letter; others are left out.</param>
    public void Send(int priority, string message, ReadOnlySpan<(string Field, string Value)> fields)
    {
        ArgumentNullException.ThrowIfNull(message);
        priority = Math.Clamp(priority, 0, 7);
        lock (gate)
        {
            Connected = socket is not null && ToJournal(socket, priority, message, fields);
            if (!Connected)
                ToFallback(priority, message);
        }
    }

    public void Dispose() => socket?.Dispose();

    private bool ToJournal(Socket journal, int priority, string message, ReadOnlySpan<(string Field, string Value)> fields)
    {
        datagram.ResetWrittenCount();
        Add("MESSAGE", message);
        Add("PRIORITY", priority.ToString(CultureInfo.InvariantCulture));
        Add("SYSLOG_IDENTIFIER", "livepatchd");
        foreach (var (field, value) in fields)
        {
            if (IsFieldName(field))
                Add(field, value);
        }
        try
        {
            journal.SendTo(datagram.WrittenSpan, address);
            return true;
        }
        catch (SocketException)
        {
            return false; // journald is restarting, or the record is too large for it
        }
    }

    private void Add(string field, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value).AsSpan();
        if (bytes.Length > MaxValueBytes)
            bytes = bytes[..MaxValueBytes];
        datagram.Write(Encoding.ASCII.GetBytes(field));
        if (bytes.Contains((byte)'\n'))
        {
            // With its length, so that no value can begin a field of its own.
            datagram.Write("\n"u8);
            BinaryPrimitives.WriteInt64LittleEndian(datagram.GetSpan(sizeof(long)), bytes.Length);
            datagram.Advance(sizeof(long));
        }
        else
        {
            datagram.Write("="u8);
        }
        datagram.Write(bytes);
        datagram.Write("\n"u8);
    }

    // Fields that begin with '_' are journald's own statements about the sender.
    private static bool IsFieldName(string field)
    {
        if (field.Length is 0 or > MaxFieldName || !char.IsAsciiLetterUpper(field[0]))
            return false;
        foreach (var c in field)
        {
            if (!char.IsAsciiLetterUpper(c) && !char.IsAsciiDigit(c) && c != '_')
                return false;
        }
        return true;
    }

    private void ToFallback(int priority, string message)
    {
        try
        {
            foreach (var line in message.AsSpan().EnumerateLines())
                fallback.Write(Encoding.UTF8.GetBytes($"<{priority}>{Printable.Line(line, MaxValueBytes)}\n"));
        }
        catch (IOException)
        {
            // Nobody is left to tell.
        }
    }
}
