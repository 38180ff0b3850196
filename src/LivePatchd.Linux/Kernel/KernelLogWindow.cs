// The last records of the kernel itself, kept to tell why a load that has just failed did fail.
using System.Collections.Immutable;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Linux.Kernel;

/// <summary>Records of programs are not kept: they could forge a diagnosis.</summary>
public sealed class KernelLogWindow
{
    public const int Capacity = 200;

    private readonly Queue<KernelLogRecord> records = new(Capacity);

    /// <summary>Take it before an action; <see cref="Since"/> then gives what the kernel logged from there on.</summary>
    public ulong Mark { get; private set; }

    /// <summary>In order.</summary>
    public ImmutableArray<KernelLogRecord> Records => [.. records];

    public void Add(KernelLogRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        Mark = Math.Max(Mark, record.Sequence + 1);
        if (!record.FromKernel)
            return;
        if (records.Count == Capacity)
            records.Dequeue();
        records.Enqueue(record);
    }

    /// <summary>Messages in order.</summary>
    public IReadOnlyList<string> Since(ulong mark) =>
        [.. records.Where(r => r.Sequence >= mark).Select(r => r.Message)];
}
