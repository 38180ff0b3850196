// What the running kernel says about itself and about what it will accept.
namespace LivePatchd.Core.Model;

/// <summary>/sys/kernel/security/lockdown: the level in brackets; None when the file is absent.</summary>
public enum LockdownLevel
{
    None,
    Integrity,
    Confidentiality,
}

/// <summary>Of a file, by its name.</summary>
public enum ModuleCompression
{
    None,
    Gzip,
    Xz,
    Zstd,
}

/// <summary>
/// Facts are read by file presence, never guessed from a version.
/// </summary>
/// <param name="Release">uname -r.</param>
/// <param name="BootId">/proc/sys/kernel/random/boot_id: tells one boot from another.</param>
/// <param name="LivepatchPresent">/sys/kernel/livepatch exists.</param>
/// <param name="CanLoadModules">The daemon holds CAP_SYS_MODULE (effective set of /proc/self/status).</param>
/// <param name="FtraceEnabled">kernel.ftrace_enabled; null when the sysctl is absent.</param>
/// <param name="SignatureEnforced">module.sig_enforce.</param>
/// <param name="ModulesDisabled">kernel.modules_disabled: one-way until reboot.</param>
/// <param name="Tainted">/proc/sys/kernel/tainted, the bit mask.</param>
/// <param name="OopsCount">/sys/kernel/oops_count; null where the kernel lacks it.</param>
/// <param name="WarnCount">/sys/kernel/warn_count; null where the kernel lacks it.</param>
public sealed record KernelFacts(
    string Release,
    string BootId,
    bool LivepatchPresent,
    bool CanLoadModules,
    bool? FtraceEnabled,
    bool SignatureEnforced,
    LockdownLevel Lockdown,
    bool ModulesDisabled,
    ulong Tainted,
    ulong? OopsCount,
    ulong? WarnCount);
