// Log records with fields to systemd's journal by its native protocol; to standard error where there is no journal.
using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Systemd;

/// <summary>
/// Thread-safe. Never throws and never waits long: a log that cannot be written is no reason to stop. What a journal that hangs does not take is
/// dropped, and counted in a record of its own once it takes records again.
/// </summary>
public sealed class JournalSink : IDisposable
{
    private const int MaxValueBytes = 16 << 10;
    private const int MaxFieldName = 64;

    // In UTF-8 and with its priority a line fits into PIPE_BUF, which a pipe that takes anything takes whole.
    private const int MaxLine = 1300;

    private const int Warning = 4;
    private const int StandardError = 2;

    /// <summary>A busy journald gets so long to make room; the callers wait behind it.</summary>
    private const int PatienceMilliseconds = 1000;

    /// <summary>After it was waited for in vain: every thread logs through here, the loop too.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly ArrayBufferWriter<byte> datagram = new(1024);
    private readonly UnixDomainSocketEndPoint address;
    private readonly Stream? fallback;
    private readonly SafeFileHandle? fallbackFd;
    private readonly Socket? socket;
    private readonly TimeProvider clock;
    private long? fullSince;
    private long dropped;

    public JournalSink(SystemRoot root)
        : this(root, Console.OpenStandardError(), TimeProvider.System, new SafeFileHandle(StandardError, ownsHandle: false))
    {
        // Beside a journal that hangs it hangs too; as the only way it is better than none.
        if (socket is not null && IsOfJournal(fallbackFd!, Environment.GetEnvironmentVariable("JOURNAL_STREAM")))
            fallback = null;
    }

    /// <param name="fallbackFd">Of the fallback, to see whether it would wait; null for one that never does.</param>
    internal JournalSink(SystemRoot root, Stream? fallback, TimeProvider? clock = null, SafeFileHandle? fallbackFd = null)
    {
        this.fallback = fallback;
        this.fallbackFd = fallbackFd;
        this.clock = clock ?? TimeProvider.System;
        var path = root.Path("/run/systemd/journal/socket");
        address = new UnixDomainSocketEndPoint(path);
        // Once absent, absent for the life of the process: a host without journald has none later either.
        if (!File.Exists(path))
            return;
        socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = PatienceMilliseconds };
        Connected = true;
    }

    private enum Sent
    {
        Taken,
        Full,
        Refused,
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
            var sent = socket is null ? Sent.Refused : ToJournal(socket, priority, message, fields);
            Connected = sent is Sent.Taken;
            // A journal that is full is there: it is told later how much it missed.
            if (sent is Sent.Full || (sent is Sent.Refused && !ToFallback(priority, message)))
                dropped++;
        }
    }

    public void Dispose() => socket?.Dispose();

    private Sent ToJournal(Socket journal, int priority, string message, ReadOnlySpan<(string Field, string Value)> fields)
    {
        if (fullSince is { } since && clock.GetElapsedTime(since) < Pause)
            return Sent.Full;
        fullSince = null;
        if (dropped > 0)
        {
            var told = SendRecord(journal, Warning, $"{dropped} messages were dropped, because the journal did not take them", []);
            if (told is not Sent.Taken)
                return told;
            dropped = 0;
        }
        return SendRecord(journal, priority, message, fields);
    }

    private Sent SendRecord(Socket journal, int priority, string message, ReadOnlySpan<(string Field, string Value)> fields)
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
            return Sent.Taken;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.TimedOut or SocketError.NoBufferSpaceAvailable)
        {
            fullSince = clock.GetTimestamp();
            return Sent.Full;
        }
        catch (SocketException)
        {
            return Sent.Refused; // journald is restarting, or the record is too large for it
        }
        catch (ObjectDisposedException)
        {
            return Sent.Refused; // a thread that has outlived the log
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

    /// <summary>False when it took nothing, or not all.</summary>
    private bool ToFallback(int priority, string message)
    {
        if (fallback is null)
            return false;
        try
        {
            foreach (var line in message.AsSpan().EnumerateLines())
            {
                if (fallbackFd is not null && !Takes(fallbackFd))
                    return false;
                fallback.Write(Encoding.UTF8.GetBytes($"<{priority}>{Printable.Line(line, MaxLine)}\n"));
            }
            return true;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return false; // Nobody is left to tell.
        }
    }

    private static unsafe bool Takes(SafeFileHandle fd)
    {
        var polled = new LibC.PollFd { Fd = (int)fd.DangerousGetHandle(), Events = LibC.PollOut };
        return LibC.poll(&polled, 1, 0) > 0;
    }

    /// <summary>What systemd says of the stream that it gave the process; a terminal below such a process inherits the word and not the stream.</summary>
    /// <param name="stream">Device and inode, "8:1234".</param>
    internal static bool IsOfJournal(SafeFileHandle fd, string? stream)
    {
        if (stream?.Split(':') is not [var device, var inode])
            return false;
        if (Sys.Stat(fd) is not { IsOk: true, Value: var stat } || inode != stat.Inode.ToString(CultureInfo.InvariantCulture))
            return false;
        // libc's encoding of a device.
        var (major, minor) = (stat.Device >> 32, (ulong)(uint)stat.Device);
        return device == ((minor & 0xFF) | (major << 8) | ((minor & ~0xFFUL) << 12)).ToString(CultureInfo.InvariantCulture);
    }
}
