// How large the machine is, as far as it matters to a transition: CPUs and threads.
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy;

namespace LivePatchd.Linux.Kernel;

public static class MachineSizeReader
{
    /// <summary>/sys/devices/system/cpu/online, and the figure after the slash in /proc/loadavg; 0 where they cannot be read.</summary>
    public static MachineSize Read(SystemRoot root)
    {
        ArgumentNullException.ThrowIfNull(root);
        Span<byte> buffer = stackalloc byte[SysfsReader.MaxFileSize];
        var cpus = SysfsReader.Read(root.Path("/sys/devices/system/cpu/online"), buffer) is { } list ? CpuList.Count(buffer[..list]) : null;
        var threads = SysfsReader.Read(root.Path("/proc/loadavg"), buffer) is { } load ? LoadParser.Threads(buffer[..load]) : null;
        return new MachineSize(cpus ?? 0, threads ?? 0);
    }
}
