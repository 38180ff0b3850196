// Ctrl-C and its relatives, turned into a descriptor that ends a wait on the bus.
using System.Runtime.InteropServices;
using LivePatchd.Bus;

namespace LivePatchd.Ctl.Client;

internal sealed partial class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>On the thread that talks to the bus.</summary>
    public StopSignals()
    {
        _registrations = [Register(PosixSignal.SIGINT), Register(PosixSignal.SIGTERM), Register(PosixSignal.SIGHUP)];
        // Other threads take the signals from here on: a call of libsystemd that one of them interrupts has lost its answer.
        const ulong InterruptTerminateHangup = (1UL << (2 - 1)) | (1UL << (15 - 1)) | (1UL << (1 - 1));
        var set = new SignalSet();
        set[0] = InterruptTerminateHangup;
        _ = pthread_sigmask(how: 0, set, 0);
    }

    // Not disposed: a handler may still be about to set it, and the process ends soon after.
    public BusWake Wake { get; } = new();

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    private PosixSignalRegistration Register(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        Wake.Set();
    });

    [LibraryImport("libc")]
    private static partial int pthread_sigmask(int how, in SignalSet set, nint previous);

    // 1024 bits, the size of sigset_t.
    [System.Runtime.CompilerServices.InlineArray(16)]
    private struct SignalSet
    {
        private ulong _word;
    }
}
