// A method call that waits for its one answer: holds the message, which only the bus thread touches.
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

internal sealed class PendingCall
{
    private nint _message;
    private int _claimed;

    internal PendingCall(nint message, BusMethod method)
    {
        _message = SdBus.sd_bus_message_ref(message);
        Method = method;
    }

    internal BusMethod Method { get; }

    /// <summary>To run on the bus thread when the call has been answered or can no longer be.</summary>
    internal Action? Ended { get; set; }

    internal bool IsClaimed => Volatile.Read(ref _claimed) != 0;

    internal bool AllowsInteraction => SdBus.sd_bus_message_get_allow_interactive_authorization(_message) > 0;

    internal BusReader OpenReader()
    {
        _ = SdBus.sd_bus_message_rewind(_message, 1);
        return new BusReader(_message);
    }

    /// <summary>True for the first caller only: whoever claims the call answers it.</summary>
    internal bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;

    internal void SendReturn(BusHandle bus, Action<BusWriter>? write)
    {
        if (_message == 0 || SdBus.sd_bus_message_get_expect_reply(_message) <= 0)
        {
            return;
        }

        OutgoingMessage.Check(SdBus.sd_bus_message_new_method_return(_message, out var message));
        using var reply = new OutgoingMessage(message);
        reply.Fill(write, Method.OutSignature);
        OutgoingMessage.Check(SdBus.sd_bus_send(bus, message, 0));
    }

    internal void SendError(string name, string text) => SendError(_message, name, text);

    internal static void SendError(nint call, string name, string text)
    {
        if (call == 0 || SdBus.sd_bus_message_get_expect_reply(call) <= 0)
        {
            return;
        }

        // Error names have the grammar of interface names. sd-bus does not look, and the bus disconnects whoever sends another.
        if (SdBus.sd_bus_interface_name_is_valid(name) <= 0)
        {
            throw new ArgumentException($"Not a D-Bus error name: {name}", nameof(name));
        }

        var error = new NativeError { Name = Marshal.StringToCoTaskMemUTF8(name), Message = Marshal.StringToCoTaskMemUTF8(BusWriter.Carriable(text)) };
        try
        {
            OutgoingMessage.Check(SdBus.sd_bus_reply_method_error(call, ref error));
        }
        finally
        {
            Marshal.FreeCoTaskMem(error.Name);
            Marshal.FreeCoTaskMem(error.Message);
        }
    }

    internal void Release()
    {
        SdBus.sd_bus_message_unref(_message);
        _message = 0;
    }
}
