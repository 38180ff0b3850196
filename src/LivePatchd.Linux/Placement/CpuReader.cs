// What is known about CPUs when one has to be chosen: lists of sysfs, the thread's own mask, softirq counters now and last time.
using System.Collections.Immutable;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Pressure;

namespace LivePatchd.Linux.Placement;

/// <summary>
/// For one thread. The earlier reading is the one of the previous call, so a choice costs one read of /proc/softirqs: call
/// <see cref="Read"/> once at a moment when nothing waits, and again right before the load.
/// </summary>
public sealed class CpuReader(SystemRoot root) : IDisposable
{
    private readonly CounterFile softirqs = new(root, "/proc/softirqs");
    private ImmutableArray<SoftirqCount> before = [];

    public CpuFacts Read()
    {
        var online = List("online");
        var allowed = ThreadPlacement.AllowedCpus();
        ImmutableArray<SoftirqCount> now = softirqs.Read(out var text).IsOk ? SoftirqParser.Parse(text) ?? [] : [];
        var facts = new CpuFacts(
            // Without sysfs, the thread's mask is what there is.
            online.IsEmpty ? allowed : online, allowed, [.. List("isolated"), .. List("nohz_full")], before, now);
        before = now;
        return facts;
    }

    public void Dispose() => softirqs.Dispose();

    private ImmutableArray<int> List(string name)
    {
        Span<byte> buffer = stackalloc byte[SysfsReader.MaxFileSize];
        return SysfsReader.Read(root.Path("/sys/devices/system/cpu/" + name), buffer) is { } length ? CpuList.Parse(buffer[..length]) ?? [] : [];
    }
}
