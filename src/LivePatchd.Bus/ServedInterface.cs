// One interface served at one path: what sd-bus hands back in its callbacks, and the slot that ends the service.
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

internal sealed class ServedInterface
{
    private GCHandle _self;

    internal ServedInterface(BusServer server, string path, BusInterface iface, object? state)
    {
        Server = server;
        Path = path;
        Interface = iface;
        State = state;
        _self = GCHandle.Alloc(this);
    }

    internal BusServer Server { get; }

    internal string Path { get; }

    internal BusInterface Interface { get; }

    internal object? State { get; }

    internal nint UserData => GCHandle.ToIntPtr(_self);

    internal nint Slot { get; set; }

    /// <summary>On the bus thread only. sd-bus makes no further callback once the slot is gone, so the handle can go too.</summary>
    internal void Release()
    {
        if (Slot != 0)
        {
            SdBus.sd_bus_slot_unref(Slot);
            Slot = 0;
        }

        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }
}
