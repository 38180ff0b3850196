// x
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Kernel;

public sealed class KernelLog : IDisposable
{
    public KernelLog(SystemRoot root) => throw new NotImplementedException(root.Prefix);

    /// <summary>Readable when records wait; null when the log could not be opened (<see cref="Errno"/> says why).</summary>
    public SafeFileHandle? Fd { get; }

    public Errno Errno { get; }

    /// <summary>How often the kernel overwrote records before they were read.</summary>
    public long Overruns { get; private set; }

    /// <summary>Hands over what waits, at most <see cref="MaxRecordsPerDrain"/>; the descriptor stays readable when more is there.</summary>
    public int Drain(Action<KernelLogRecord> take) => throw new NotImplementedException();

    public const int MaxRecordsPerDrain = 256;

    public void Dispose() => Fd?.Dispose();
}
