// Owns an sd_bus connection. Messages and slots have no finalizers on purpose: sd-bus counts references without atomics,
// so only the thread that drives the connection may drop them.
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Bus.Native;

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
