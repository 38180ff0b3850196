// One match rule of a client: the callback sd-bus reaches through its slot, and whose signals it takes.
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

internal sealed class SignalMatch : IDisposable
{
    /// <summary>More than any signal of systemd or of this daemon; what is larger is dropped.</summary>
    internal const int MaxBytes = 1 << 20;

    private readonly BusClient _client;
    private readonly string _sender;
    private readonly bool _isImmediate;
    private readonly Action<BusReader, string, string> _onSignal;
    private GCHandle _self;

    /// <param name="sender">Whose signals it takes: a rule alone does not keep those out that others send to this very connection.</param>
    /// <param name="isImmediate">Runs as the signal comes, inside of calls too, and is not reported as delivered.</param>
    internal SignalMatch(BusClient client, string sender, bool isImmediate, Action<BusReader, string, string> onSignal)
    {
        (_client, _sender, _isImmediate, _onSignal) = (client, sender, isImmediate, onSignal);
        _self = GCHandle.Alloc(this);
    }

    internal nint UserData => GCHandle.ToIntPtr(_self);

    internal nint Slot { get; set; }

    internal bool IsInstalled { get; private set; }

    /// <summary>Why the bus does not send such signals.</summary>
    internal BusError? Refusal { get; private set; }

    internal void NoteInstalled(BusError? refusal) => (IsInstalled, Refusal) = (true, refusal);

    /// <summary>On arrival: judged by its sender, who is its sender now, and by its size.</summary>
    internal void Take(nint message)
    {
        if (Marshal.PtrToStringUTF8(SdBus.sd_bus_message_get_sender(message)) is not { } sender || !_client.IsOwnedBy(_sender, sender) || !IsSmall(message))
        {
            return;
        }

        if (_isImmediate)
        {
            Deliver(message);
        }
        else
        {
            _client.Keep(this, message);
        }
    }

    /// <summary>What the callback throws, this throws.</summary>
    internal void Deliver(nint message)
    {
        _ = SdBus.sd_bus_message_rewind(message, 1);
        var reader = new BusReader(message);
        try
        {
            var path = Marshal.PtrToStringUTF8(SdBus.sd_bus_message_get_path(message)) ?? "";
            var member = Marshal.PtrToStringUTF8(SdBus.sd_bus_message_get_member(message)) ?? "";
            _onSignal(reader, path, member);
        }
        finally
        {
            reader.Invalidate();
        }
    }

    public void Dispose()
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

    private static bool IsSmall(nint message)
    {
        var reader = new BusReader(message);
        try
        {
            return reader.FitsInto(MaxBytes);
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
}
