// Reads what the running kernel is and what it will accept at this moment.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Linux.Kernel;

/// <summary>What cannot change before a reboot is read once; what root can change at run time is read each time.</summary>
internal sealed class KernelFactsReader(SystemRoot root)
{
    private Fixed? known;

    internal KernelFacts Read()
    {
        // Nothing is remembered before /proc answers: a daemon may start before its mounts are complete.
        SysfsReader.ForgetTrouble();
        var constant = known ?? ReadFixed();
        if (constant.Release.Length > 0 && constant.BootId.Length > 0 && SysfsReader.Trouble == Errno.None)
            known = constant;
        Span<byte> buffer = stackalloc byte[SysfsReader.MaxFileSize];
        return new KernelFacts(
            constant.Release,
            constant.BootId,
            constant.LivepatchPresent,
            constant.CanLoadModules,
            FtraceEnabled: SysfsReader.Bool(root.Path("/proc/sys/kernel/ftrace_enabled")),
            SignatureEnforced: SysfsReader.Bool(root.Path("/sys/module/module/parameters/sig_enforce")) ?? false,
            Lockdown: SysfsReader.Read(root.Path("/sys/kernel/security/lockdown"), buffer) is { } length
                ? LockdownParser.Parse(buffer[..length])
                : LockdownLevel.None,
            ModulesDisabled: SysfsReader.Bool(root.Path("/proc/sys/kernel/modules_disabled")) ?? false,
            Tainted: SysfsReader.Number(root.Path("/proc/sys/kernel/tainted")) ?? 0,
            OopsCount: SysfsReader.Number(root.Path("/sys/kernel/oops_count")),
            WarnCount: SysfsReader.Number(root.Path("/sys/kernel/warn_count")));
    }

    private Fixed ReadFixed()
    {
        Span<byte> buffer = stackalloc byte[SysfsReader.MaxFileSize];
        return new Fixed(
            Text("/proc/sys/kernel/osrelease", buffer),
            Text("/proc/sys/kernel/random/boot_id", buffer),
            LivepatchPresent: Directory.Exists(root.Path("/sys/kernel/livepatch")),
            CanLoadModules: SysfsReader.Read(root.Path("/proc/self/status"), buffer) is { } length
                && ProcStatusCaps.CanLoadModules(buffer[..length]));
    }

    private string Text(string path, Span<byte> buffer) => SysfsReader.Read(root.Path(path), buffer) is { } length
        ? Printable.Line(Encoding.UTF8.GetString(buffer[..length].TrimEnd((byte)'\n')))
        : "";

    private sealed record Fixed(
        string Release, string BootId, bool LivepatchPresent, bool CanLoadModules);
}
