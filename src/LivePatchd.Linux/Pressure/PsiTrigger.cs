// One trigger in /proc/pressure/*: the kernel makes its descriptor urgent (POLLPRI) when stalls exceed the threshold.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Pressure;

/// <summary>It rings at most once in its window, and lasts as long as the descriptor is open.</summary>
public sealed class PsiTrigger : IDisposable
{
    private PsiTrigger(PressureTrigger trigger, SafeFileHandle fd)
    {
        Trigger = trigger;
        Fd = fd;
    }

    public PressureTrigger Trigger { get; }

    /// <summary>To be waited for with <see cref="Poller"/> as urgent.</summary>
    public SafeFileHandle Fd { get; }

    /// <summary>
    /// Refused with EPERM (no CAP_SYS_RESOURCE before Linux 6.5), EACCES (files that only root's override may write, before 5.13), EINVAL,
    /// EBUSY, ENOENT or EOPNOTSUPP (psi=0): then readings must do. Under a root that is not "/" always, with EXDEV.
    /// </summary>
    public static SysResult<PsiTrigger> Arm(SystemRoot root, PressureTrigger trigger)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(trigger);
        return root.IsReal ? Arm(FileOf(trigger.Gate), trigger) : SysResult.Fail<PsiTrigger>(Errno.EXDEV, "write");
    }

    public void Dispose() => Fd.Dispose();

    internal static SysResult<PsiTrigger> Arm(string path, PressureTrigger trigger)
    {
        var opened = Sys.Open(path, LibC.ReadWrite | LibC.NonBlock);
        if (!opened.IsOk)
            return SysResult.Fail<PsiTrigger>(opened.Errno, "open");
        // The kernel overwrites the last byte with a NUL of its own: without one to lose, the window would lose its last digit.
        var written = Sys.Write(opened.Value, Encoding.ASCII.GetBytes(trigger.Line + "\0"));
        if (written.IsOk)
            return SysResult.Ok(new PsiTrigger(trigger, opened.Value));
        opened.Value.Dispose();
        return SysResult.Fail<PsiTrigger>(written.Errno, "write");
    }

    private static string FileOf(Gate gate) => gate switch
    {
        Gate.IoPressure => "/proc/pressure/io",
        Gate.CpuPressure => "/proc/pressure/cpu",
        Gate.MemoryPressure => "/proc/pressure/memory",
        _ => throw new ArgumentOutOfRangeException(nameof(gate)),
    };
}
