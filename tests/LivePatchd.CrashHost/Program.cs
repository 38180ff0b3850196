// The real daemon in a process that a test kills: at a failpoint by its own hand, as kill -9 would.
using System.Runtime.InteropServices;
using LivePatchd;
using LivePatchd.Bus;
using LivePatchd.CrashHost;
using LivePatchd.Hosting;
using LivePatchd.Linux;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Systemd;
using LivePatchd.Log;

var arguments = HostArguments.Parse(args);
var root = new SystemRoot(arguments.Root);
using var kernel = new RemoteKernel(root, arguments.KernelSocket);
var left = arguments.Armed.ToDictionary();
var gate = new Lock();
Failpoint.Hit = name =>
{
    lock (gate)
    {
        if (!left.TryGetValue(name, out var hits) || (left[name] = hits - 1) > 0)
            return;
        kernel.Dying(name);
        // SIGKILL to itself: no handler, no finally, no flush.
        System.Diagnostics.Process.GetCurrentProcess().Kill();
        Thread.Sleep(Timeout.Infinite);
    }
};
using var instance = new InstanceLock(root);
if (!instance.TryAcquire().IsOk)
    return 3;
using var sink = new JournalSink(root);
await using var daemon = new DaemonService(
    new DaemonOptions(root, BusAddress.At(arguments.BusAddress)), new DaemonLog(sink), new ClockAhead(arguments.Ahead), kernel);
using var stop = new ManualResetEventSlim();
using var signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    stop.Set();
});
await daemon.StartAsync(CancellationToken.None);
await Task.Run(stop.Wait);
await daemon.StopAsync(CancellationToken.None);
return 0;
