// Takes out the calls that only read and want no answer, before sd-bus collects an answer that nobody hears.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

/// <summary>
/// The bus lets a peer wait for 128 answers at most, and so bounds what it can keep us busy with; calls that want none have no such bound.
/// What sd-bus answers by itself costs it the same either way, and the objects' properties most of all.
/// </summary>
internal static class UnheardReads
{
    public static unsafe void Refuse(BusHandle bus) => OutgoingMessage.Check(SdBus.sd_bus_add_filter(bus, null, &OnMessage, 0));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnMessage(nint message, nint userData, nint error) =>
        SdBus.sd_bus_message_get_expect_reply(message) <= 0
        && (Is(message, "org.freedesktop.DBus.ObjectManager\0"u8, "GetManagedObjects\0"u8)
            || Is(message, "org.freedesktop.DBus.Properties\0"u8, "GetAll\0"u8)
            || Is(message, "org.freedesktop.DBus.Properties\0"u8, "Get\0"u8)
            || Is(message, "org.freedesktop.DBus.Introspectable\0"u8, "Introspect\0"u8)) ? 1 : 0;

    private static unsafe bool Is(nint message, ReadOnlySpan<byte> iface, ReadOnlySpan<byte> member)
    {
        fixed (byte* i = iface, m = member)
        {
            return SdBus.sd_bus_message_is_method_call(message, i, m) > 0;
        }
    }
}
