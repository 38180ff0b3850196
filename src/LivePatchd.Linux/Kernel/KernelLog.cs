// /dev/kmsg from now on: the wake-up hint for transitions, and the words behind a failed load.
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Kernel;

/// <summary>Not thread-safe. Without the device (or CAP_SYSLOG) everything works, only later: on timers instead of hints.</summary>
public sealed class KernelLog : IDisposable
{
    /// <summary>One drain hands over at most this many, so a log storm cannot hold the loop.</summary>
    public const int MaxRecordsPerDrain = 256;

    private readonly byte[] buffer = new byte[KmsgParser.MaxRecordSize];

    public KernelLog(SystemRoot root)
    {
        ArgumentNullException.ThrowIfNull(root);
        var opened = Sys.Open(root.Path("/dev/kmsg"), LibC.ReadOnly | LibC.NonBlock);
        if (!opened.IsOk)
        {
            Errno = opened.Errno;
            return;
        }
        // A stream has nothing from before to pass over.
        if (LibC.lseek(opened.Value, 0, LibC.SeekEnd) < 0 && Sys.LastError() is not Errno.ESPIPE)
        {
            Errno = Sys.LastError();
            opened.Value.Dispose();
            return;
        }
        Fd = opened.Value;
    }

    /// <summary>Readable when records wait; null when the log could not be opened.</summary>
    public SafeFileHandle? Fd { get; }

    /// <summary>Why <see cref="Fd"/> is null.</summary>
    public Errno Errno { get; }

    /// <summary>How often the kernel overwrote records before they were read: something was missed.</summary>
    public long Overruns { get; private set; }

    /// <summary>Hands over what waits and says how many; the descriptor stays readable when more is there.</summary>
    public int Drain(Action<KernelLogRecord> take)
    {
        ArgumentNullException.ThrowIfNull(take);
        if (Fd is null)
            return 0;
        var taken = 0;
        // Unreadable records and overruns count as reads, so that they cannot make the drain endless.
        for (var reads = 0; reads < MaxRecordsPerDrain; reads++)
        {
            var read = Sys.ReadOnce(Fd, buffer);
            if (read.Errno == Errno.EPIPE)
            {
                Overruns++;
                continue;
            }
            if (!read.IsOk || read.Value == 0)
                break;
            if (KmsgParser.Parse(buffer.AsSpan(0, read.Value)) is not { } record)
                continue;
            take(record);
            taken++;
        }
        return taken;
    }

    public void Dispose() => Fd?.Dispose();
}
