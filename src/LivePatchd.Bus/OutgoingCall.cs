// A call to another service whose answer has not come yet: what sd-bus hands back in its callback. On the connection's thread only.
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

/// <param name="complete">Told of the end of the call, and what to do then.</param>
/// <param name="done">Takes the answer, or 0 when there will be none. Called once.</param>
internal sealed class OutgoingCall(Action<OutgoingCall, Action> complete, Action<nint> done)
{
    private GCHandle _self;
    private nint _slot;

    internal unsafe int Send(BusHandle bus, nint message, TimeSpan timeout)
    {
        _self = GCHandle.Alloc(this);
        var result = SdBus.sd_bus_call_async(bus, out _slot, message, &Dispatch.OnReply, GCHandle.ToIntPtr(_self), OutgoingMessage.Microseconds(timeout));
        if (result < 0)
        {
            Release();
        }

        return result;
    }

    /// <param name="message">The answer, an error of the peer, or the error that sd-bus makes when the time is up; 0 when the connection ends.</param>
    internal void Answer(nint message)
    {
        Release();
        complete(this, () => done(message));
    }

    // sd-bus holds a reference of its own to the slot whose callback it runs, so this is right inside and outside of it.
    private void Release()
    {
        SdBus.sd_bus_slot_unref(_slot);
        _slot = 0;
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }
}
