// sd-bus entry points that build, read and send messages; never the variadic forms.
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

internal static partial class SdBus
{
    [LibraryImport(Library)]
    internal static partial nint sd_bus_message_ref(nint message);

    [LibraryImport(Library)]
    internal static partial nint sd_bus_message_unref(nint message);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_message_new_method_call(BusHandle bus, out nint message, string? destination, string path, string? iface, string member);

    [LibraryImport(Library)]
    internal static partial int sd_bus_message_new_method_return(nint call, out nint message);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_message_new_signal(BusHandle bus, out nint message, string path, string iface, string member);

    [LibraryImport(Library)]
    internal static partial int sd_bus_send(BusHandle bus, nint message, nint cookie);

    [LibraryImport(Library)]
    internal static unsafe partial int sd_bus_call_async(
        BusHandle bus, out nint slot, nint message, delegate* unmanaged[Cdecl]<nint, nint, nint, int> callback, nint userData, ulong timeoutMicroseconds);

    [LibraryImport(Library)]
    internal static partial int sd_bus_reply_method_error(nint call, ref NativeError error);

    [LibraryImport(Library)]
    internal static partial int sd_bus_message_set_auto_start(nint message, int yes);

    [LibraryImport(Library)]
    internal static partial int sd_bus_message_get_expect_reply(nint message);

    /// <param name="iface">Ends with a NUL, as the member does.</param>
    [LibraryImport(Library)]
    internal static unsafe partial int sd_bus_message_is_method_call(nint message, byte* iface, byte* member);

    [LibraryImport(Library)]
    internal static partial int sd_bus_message_get_allow_interactive_authorization(nint message);

    [LibraryImport(Library)]
    internal static unsafe partial NativeError* sd_bus_message_get_error(nint message);

    [LibraryImport(Library)]
    internal static partial int sd_bus_message_get_errno(nint message);

    [LibraryImport(Library)]
    internal static partial int sd_bus_message_rewind(nint message, int complete);

    [LibraryImport(Library)]
    internal static partial nint sd_bus_message_get_signature(nint message, int complete);

    [LibraryImport(Library)]
    internal static partial nint sd_bus_message_get_path(nint message);

    [LibraryImport(Library)]
    internal static partial nint sd_bus_message_get_interface(nint message);

    [LibraryImport(Library)]
    internal static partial nint sd_bus_message_get_member(nint message);

    [LibraryImport(Library)]
    internal static partial nint sd_bus_message_get_sender(nint message);

    [LibraryImport(Library)]
    internal static unsafe partial int sd_bus_message_append_basic(nint message, byte type, void* value);

    [LibraryImport(Library)]
    internal static unsafe partial int sd_bus_message_append_array(nint message, byte type, void* values, nuint size);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_message_open_container(nint message, byte type, string contents);

    [LibraryImport(Library)]
    internal static partial int sd_bus_message_close_container(nint message);

    [LibraryImport(Library)]
    internal static unsafe partial int sd_bus_message_read_basic(nint message, byte type, void* value);

    [LibraryImport(Library)]
    internal static unsafe partial int sd_bus_message_read_array(nint message, byte type, out void* values, out nuint size);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_message_enter_container(nint message, byte type, string? contents);

    [LibraryImport(Library)]
    internal static partial int sd_bus_message_exit_container(nint message);

    [LibraryImport(Library)]
    internal static partial int sd_bus_message_peek_type(nint message, out byte type, out nint contents);

    [LibraryImport(Library)]
    internal static partial int sd_bus_message_at_end(nint message, int complete);
}
