// The adapters that one reconcile loop works with, made together and ended together.
using LivePatchd.Bus;
using LivePatchd.Core.Policy;
using LivePatchd.Linux;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Placement;
using LivePatchd.Linux.Preflight;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Systemd;
using LivePatchd.Linux.Tasks;
using LivePatchd.Linux.Watch;

namespace LivePatchd.Loop;

/// <param name="Bus">Where systemd is asked.</param>
internal sealed record LoopParts(
    SystemRoot Root,
    BusAddress Bus,
    IKernel Kernel,
    KernelLog KernelLog,
    DirectoryWatcher Watcher,
    MountWatch Mounts,
    ClockWatch WallClock,
    DirectoryScanner Scanner,
    PatchStore Store,
    StagingArea Staging,
    FileProbe Probe,
    PreflightReader Preflight,
    AppendLog Journal,
    HostBook Host,
    ImpactRecorder Impact,
    GateDesk Gates,
    CpuReader Cpus,
    BlockerScanner Tasks,
    Notifier Notifier,
    Func<MachineSize> Size,
    EventFd Wake) : IDisposable
{
    public void Dispose()
    {
        Impact.Dispose();
        KernelLog.Dispose();
        Watcher.Dispose();
        Mounts.Dispose();
        WallClock.Dispose();
        Journal.Dispose();
        Gates.Dispose();
        Cpus.Dispose();
        Notifier.Dispose();
        Wake.Dispose();
    }
}
