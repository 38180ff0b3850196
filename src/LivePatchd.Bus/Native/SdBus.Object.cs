// sd-bus entry points for served objects: vtables, object managers and their change signals.
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

internal static partial class SdBus
{
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_add_object_vtable(BusHandle bus, out nint slot, string path, string iface, nint vtable, nint userData);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_add_object_manager(BusHandle bus, out nint slot, string path);

    [LibraryImport(Library)]
    internal static partial nint sd_bus_slot_unref(nint slot);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int sd_bus_emit_properties_changed_strv(BusHandle bus, string path, string iface, nint* names);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int sd_bus_emit_interfaces_added_strv(BusHandle bus, string path, nint* interfaces);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int sd_bus_emit_interfaces_removed_strv(BusHandle bus, string path, nint* interfaces);
}
