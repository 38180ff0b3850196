// Ctrl-C and its relatives, turned into a descriptor that ends a wait on the bus.
using System.Runtime.InteropServices;
using LivePatchd.Bus;

namespace LivePatchd.Ctl.Client;

internal sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals() =>
        _registrations = [Register(PosixSignal.SIGINT), Register(PosixSignal.SIGTERM), Register(PosixSignal.SIGHUP)];

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
}
