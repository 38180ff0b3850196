// sd-bus entry points for the connection: opening, names, the event loop and matches.
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

internal static partial class SdBus
{
    [LibraryImport(Library)]
    internal static partial int sd_bus_open_system(out BusHandle bus);

    [LibraryImport(Library)]
    internal static partial int sd_bus_open_user(out BusHandle bus);

    [LibraryImport(Library)]
    internal static partial int sd_bus_new(out BusHandle bus);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_set_address(BusHandle bus, string address);

    [LibraryImport(Library)]
    internal static partial int sd_bus_set_bus_client(BusHandle bus, int yes);

    [LibraryImport(Library)]
    internal static partial int sd_bus_start(BusHandle bus);

    [LibraryImport(Library)]
    internal static partial int sd_bus_is_open(BusHandle bus);

    [LibraryImport(Library)]
    internal static partial int sd_bus_is_ready(BusHandle bus);

    [LibraryImport(Library)]
    internal static partial int sd_bus_set_exit_on_disconnect(BusHandle bus, int yes);

    [LibraryImport(Library)]
    internal static partial int sd_bus_set_method_call_timeout(BusHandle bus, ulong microseconds);

    [LibraryImport(Library)]
    internal static partial void sd_bus_close(nint bus);

    [LibraryImport(Library)]
    internal static partial nint sd_bus_unref(nint bus);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_request_name(BusHandle bus, string name, ulong flags);

    [LibraryImport(Library)]
    internal static partial int sd_bus_get_unique_name(BusHandle bus, out nint name);

    [LibraryImport(Library)]
    internal static partial int sd_bus_process(BusHandle bus, nint message);

    [LibraryImport(Library)]
    internal static partial int sd_bus_get_n_queued_write(BusHandle bus, out ulong messages);

    [LibraryImport(Library)]
    internal static partial int sd_bus_get_fd(BusHandle bus);

    [LibraryImport(Library)]
    internal static partial int sd_bus_get_events(BusHandle bus);

    [LibraryImport(Library)]
    internal static partial int sd_bus_get_timeout(BusHandle bus, out ulong microseconds);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int sd_bus_add_match_async(
        BusHandle bus, out nint slot, string rule, delegate* unmanaged[Cdecl]<nint, nint, nint, int> callback, delegate* unmanaged[Cdecl]<nint, nint, nint, int> installed,
        nint userData);

    [LibraryImport(Library)]
    internal static unsafe partial int sd_bus_add_filter(BusHandle bus, nint* slot, delegate* unmanaged[Cdecl]<nint, nint, nint, int> callback, nint userData);

    [LibraryImport(Library)]
    internal static partial int sd_bus_set_allow_interactive_authorization(BusHandle bus, int yes);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_interface_name_is_valid(string name);

    [LibraryImport(Library)]
    internal static partial int sd_bus_error_set_errno(ref NativeError error, int errno);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_error_set(nint error, string name, string message);

    [LibraryImport(Library)]
    internal static partial void sd_bus_error_free(ref NativeError error);
}
