// Owns an sd_bus connection.
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Bus.Native;

// Messages and slots have no such handle on purpose: sd-bus counts references without atomics, so a finalizer thread must
// never drop one. Only the thread that drives the connection does.
internal sealed class BusHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public BusHandle()
        : base(ownsHandle: true)
    {
    }

    /// <summary>Null until the bus has said hello, and with a peer that is no bus.</summary>
    internal SizeGate? Gate { get; set; }

    /// <summary>What sd_bus_process does, with no message before it that is too large.</summary>
    internal int Process() => (Gate?.Look() ?? SizeGate.Passage.Clear) switch
    {
        SizeGate.Passage.Held => 0,
        // It reads whenever it is called, so it is called for what it has to do besides: what waits to be sent, what was read before, what is overdue.
        SizeGate.Passage.Empty when !BusPoll.IsDue(this) && (SdBus.sd_bus_get_n_queued_write(this, out var unsent) < 0 || unsent == 0) => 0,
        _ => SdBus.sd_bus_process(this, 0),
    };

    protected override bool ReleaseHandle()
    {
        SdBus.sd_bus_close(handle);
        SdBus.sd_bus_unref(handle);
        return true;
    }
}
