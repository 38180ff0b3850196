// One match rule of a client: the callback sd-bus reaches through its slot.
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

internal sealed class SignalMatch
{
    private readonly BusClient _client;
    private readonly Action<BusReader, string, string> _onSignal;
    private GCHandle _self;

    internal SignalMatch(BusClient client, Action<BusReader, string, string> onSignal)
    {
        _client = client;
        _onSignal = onSignal;
        _self = GCHandle.Alloc(this);
    }

    internal nint UserData => GCHandle.ToIntPtr(_self);

    internal nint Slot { get; set; }

    internal void Deliver(nint message)
    {
        var reader = new BusReader(message);
        Exception? failure = null;
        try
        {
            var path = Marshal.PtrToStringUTF8(SdBus.sd_bus_message_get_path(message)) ?? "";
            var member = Marshal.PtrToStringUTF8(SdBus.sd_bus_message_get_member(message)) ?? "";
            _onSignal(reader, path, member);
        }
        catch (Exception exception)
        {
            failure = exception;
        }
        finally
        {
            reader.Invalidate();
        }

        _client.NoteDelivered(failure);
    }

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
