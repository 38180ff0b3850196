// What the service shows on the bus: objects, their managers, and the signals about them. Every method may be called from any thread.
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

// Off the bus thread a request is posted and its failure is reported to Faulted; on it, and in setUp, a failure throws InvalidOperationException.
public sealed partial class BusServer
{
    private readonly Dictionary<string, List<ServedInterface>> _objects = new(StringComparer.Ordinal);
    private readonly List<nint> _managerSlots = [];

    /// <summary>Serves org.freedesktop.DBus.ObjectManager for the objects below the path.</summary>
    public void AddObjectManager(string path) => RunOnBusThread(() =>
    {
        OutgoingMessage.Check(SdBus.sd_bus_add_object_manager(_bus, out var slot, path));
        if (slot != 0)
        {
            _managerSlots.Add(slot);
        }
    });

    /// <summary>Serves one interface at a path; announce it with <see cref="EmitInterfacesAdded"/> once all interfaces of the object are there.</summary>
    public void AddObject(string path, BusInterface iface, object? state = null) => RunOnBusThread(() =>
    {
        var served = new ServedInterface(this, path, iface, state);
        var result = SdBus.sd_bus_add_object_vtable(_bus, out var slot, path, iface.Name, iface.Vtable, served.UserData);
        if (result < 0)
        {
            served.Release();
            OutgoingMessage.Check(result);
            return;
        }

        served.Slot = slot;
        if (!_objects.TryGetValue(path, out var interfaces))
        {
            _objects.Add(path, interfaces = []);
        }

        interfaces.Add(served);
    });

    /// <summary>Ends every interface of the path; announce it before with <see cref="EmitInterfacesRemoved"/>.</summary>
    public void RemoveObject(string path) => RunOnBusThread(() =>
    {
        if (_objects.Remove(path, out var interfaces))
        {
            interfaces.ForEach(static served => served.Release());
        }
    });

    /// <summary>PropertiesChanged for the named properties, with the values their getters give when the signal is made.</summary>
    public void EmitPropertiesChanged(string path, string iface, params string[] names) => RunOnBusThread(() =>
    {
        if (names.Length > 0)
        {
            EmitAbout(names, path, iface);
        }
    });

    /// <summary>InterfacesAdded, from the object manager above the path, with the values the getters give.</summary>
    public void EmitInterfacesAdded(string path, params string[] ifaces) => RunOnBusThread(() => EmitAdded(path, ifaces));

    public void EmitInterfacesRemoved(string path, params string[] ifaces) => RunOnBusThread(() => EmitRemoved(path, ifaces));

    public void EmitSignal(string path, string iface, string member, string signature, Action<BusWriter>? write = null) => RunOnBusThread(() =>
    {
        OutgoingMessage.Check(SdBus.sd_bus_message_new_signal(_bus, out var message, path, iface, member));
        if (message == 0)
        {
            return;
        }

        using var signal = new OutgoingMessage(message);
        signal.Fill(write, signature);
        OutgoingMessage.Check(SdBus.sd_bus_send(_bus, message, 0));
    });

    private unsafe void EmitAbout(string[] names, string path, string iface)
    {
        using var native = new NativeStrings(names);
        OutgoingMessage.Check(SdBus.sd_bus_emit_properties_changed_strv(_bus, path, iface, native.Pointer));
    }

    private unsafe void EmitAdded(string path, string[] ifaces)
    {
        using var native = new NativeStrings(ifaces);
        OutgoingMessage.Check(SdBus.sd_bus_emit_interfaces_added_strv(_bus, path, native.Pointer));
    }

    private unsafe void EmitRemoved(string path, string[] ifaces)
    {
        using var native = new NativeStrings(ifaces);
        OutgoingMessage.Check(SdBus.sd_bus_emit_interfaces_removed_strv(_bus, path, native.Pointer));
    }

    private void ReleaseObjects()
    {
        foreach (var served in _objects.Values.SelectMany(static interfaces => interfaces))
        {
            served.Release();
        }

        _objects.Clear();
        _managerSlots.ForEach(static slot => SdBus.sd_bus_slot_unref(slot));
        _managerSlots.Clear();
    }
}
