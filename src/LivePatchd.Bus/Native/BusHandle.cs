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

    protected override bool ReleaseHandle()
    {
        SdBus.sd_bus_close(handle);
        SdBus.sd_bus_unref(handle);
        return true;
    }
}
