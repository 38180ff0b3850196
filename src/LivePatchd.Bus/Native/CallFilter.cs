// Judges each call before sd-bus looks for its object: how large it is, and whether anybody hears the answer.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

/// <summary>
/// sd-bus serves properties, introspection and unknown names by itself, and its errors repeat the names that they are about, whatever their
/// length. It looks for an object under each prefix of its path.
/// </summary>
internal sealed class CallFilter(BusServer server) : IDisposable
{
    private const int MaxPath = 512;

    private GCHandle _self;

    /// <summary>For as long as the connection lives; to be disposed after it.</summary>
    internal unsafe void Add(BusHandle bus)
    {
        _self = GCHandle.Alloc(this);
        OutgoingMessage.Check(SdBus.sd_bus_add_filter(bus, null, &OnMessage, GCHandle.ToIntPtr(_self)));
    }

    public void Dispose()
    {
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnMessage(nint message, nint userData, nint error)
    {
        try
        {
            return IsUnheardRead(message) || ((CallFilter)GCHandle.FromIntPtr(userData).Target!).Refuse(message) ? 1 : 0;
        }
        catch
        {
            // Not even the refusal could be sent: nothing of this message is looked at.
            return 1;
        }
    }

    /// <summary>
    /// The bus lets a peer wait for 128 answers at most, and so bounds what it can keep us busy with; calls that want none have no such bound.
    /// What sd-bus answers by itself costs it the same either way, and the objects' properties most of all.
    /// </summary>
    private static bool IsUnheardRead(nint message) =>
        SdBus.sd_bus_message_get_expect_reply(message) <= 0
        && (Is(message, "org.freedesktop.DBus.ObjectManager\0"u8, "GetManagedObjects\0"u8)
            || Is(message, "org.freedesktop.DBus.Properties\0"u8, "GetAll\0"u8)
            || Is(message, "org.freedesktop.DBus.Properties\0"u8, "Get\0"u8)
            || Is(message, "org.freedesktop.DBus.Introspectable\0"u8, "Introspect\0"u8));

    /// <summary>True when the call is answered with an error, without anything of it in the answer.</summary>
    private unsafe bool Refuse(nint message)
    {
        if (SdBus.sd_bus_message_is_method_call(message, null, null) <= 0)
        {
            return false;
        }

        if (Length(SdBus.sd_bus_message_get_path(message)) > MaxPath)
        {
            PendingCall.SendError(message, BusErrorNames.UnknownObject, $"No object has a path of more than {MaxPath} bytes.");
            return true;
        }

        if (FitsInto(message, server.MaxArguments))
        {
            return SdBus.sd_bus_message_rewind(message, 1) < 0;
        }

        PendingCall.SendError(message, BusErrorNames.InvalidArgs, $"The arguments are malformed or larger than {server.MaxArguments} bytes.");
        return true;
    }

    private static bool FitsInto(nint message, int limit)
    {
        var reader = new BusReader(message);
        try
        {
            return reader.FitsInto(limit);
        }
        catch (BusFormatException)
        {
            return false;
        }
        finally
        {
            reader.Invalidate();
        }
    }

    private static unsafe int Length(nint text) => text == 0 ? 0 : MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)text).Length;

    private static unsafe bool Is(nint message, ReadOnlySpan<byte> iface, ReadOnlySpan<byte> member)
    {
        fixed (byte* i = iface, m = member)
        {
            return SdBus.sd_bus_message_is_method_call(message, i, m) > 0;
        }
    }
}
