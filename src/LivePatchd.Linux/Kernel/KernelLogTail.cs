// The newest lines of the kernel itself, read from the beginning of its log by a descriptor of one's own.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Kernel;

/// <summary>Lines of programs are left out: they may hold anything. Another reader of the log is not disturbed.</summary>
public static class KernelLogTail
{
    /// <summary>More records than the largest usual log has; what is behind them is left out.</summary>
    private const int MaxReads = 1 << 17;

    /// <summary>In order, the newest so many.</summary>
    public static SysResult<ImmutableArray<KernelLogRecord>> Read(SystemRoot root, int max)
    {
        ArgumentNullException.ThrowIfNull(root);
        var opened = Sys.Open(root.Path("/dev/kmsg"), LibC.ReadOnly | LibC.NonBlock);
        if (!opened.IsOk)
            return SysResult.Fail<ImmutableArray<KernelLogRecord>>(opened.Errno, opened.Call!);
        using var file = opened.Value;
        var buffer = new byte[KmsgParser.MaxRecordSize];
        var records = new Queue<KernelLogRecord>(max + 1);
        for (var reads = 0; reads < MaxReads; reads++)
        {
            var read = Sys.ReadOnce(file, buffer);
            // Overwritten before it was read: the next one is the oldest there is.
            if (read.Errno is Errno.EPIPE)
                continue;
            if (read.Errno is Errno.EAGAIN || read is { IsOk: true, Value: 0 })
                break;
            if (!read.IsOk)
                return SysResult.Fail<ImmutableArray<KernelLogRecord>>(read.Errno, read.Call!);
            if (KmsgParser.Parse(buffer.AsSpan(0, read.Value)) is not { FromKernel: true } record)
                continue;
            records.Enqueue(record);
            if (records.Count > max)
                records.Dequeue();
        }
        return SysResult.Ok<ImmutableArray<KernelLogRecord>>([.. records]);
    }
}
