// Dispatch of method calls and property reads, and the calls that still wait for their answer. All on the bus thread.
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

public sealed partial class BusServer
{
    private readonly HashSet<PendingCall> _pending = [];

    internal void DispatchMethod(ServedInterface served, nint message)
    {
        var method = served.Interface.FindMethod(Marshal.PtrToStringUTF8(SdBus.sd_bus_message_get_member(message)))
            ?? throw new InvalidOperationException("sd-bus dispatched a method that the interface does not have.");
        var pending = new PendingCall(message, method);
        _pending.Add(pending);
        var sender = Marshal.PtrToStringUTF8(SdBus.sd_bus_message_get_sender(message)) ?? "";
        Handle(new BusCall(this, pending, served, sender), method.Handler);
    }

    /// <summary>Runs a handler with the arguments from their beginning; what it throws becomes the answer.</summary>
    internal void Handle(BusCall call, Action<BusCall> handler)
    {
        var reader = call.OpenReader();
        try
        {
            handler(call);
        }
        catch (BusFormatException malformed)
        {
            call.ReplyError(BusErrorNames.InvalidArgs, malformed.Message);
        }
        catch (Exception exception)
        {
            // The caller learns nothing of our insides.
            Report(exception);
            call.ReplyError(BusErrorNames.Failed, "The method failed.");
        }
        finally
        {
            reader.Invalidate();
        }
    }

    internal bool DispatchGet(ServedInterface served, nint propertyName, nint reply)
    {
        var writer = new BusWriter(reply);
        try
        {
            var property = served.Interface.FindProperty(Marshal.PtrToStringUTF8(propertyName))
                ?? throw new InvalidOperationException("sd-bus asked for a property that the interface does not have.");
            property.Get(writer, served.State);
            // Any other mistake is refused as it is written; this one sd-bus would only find when it can no longer answer.
            return !writer.IsEmpty ? true : throw new InvalidOperationException($"The getter of {property.Name} wrote nothing.");
        }
        catch (Exception exception)
        {
            Report(exception);
            return false;
        }
        finally
        {
            writer.Invalidate();
        }
    }

    internal void SendReturn(PendingCall call, Action<BusWriter>? write)
    {
        try
        {
            call.SendReturn(_bus, write);
        }
        catch (Exception exception)
        {
            Report(exception);
            Guard(() => call.SendError(BusErrorNames.Failed, "The method failed."));
        }

        Complete(call);
    }

    internal void SendError(PendingCall call, string name, string message)
    {
        try
        {
            call.SendError(name, message);
        }
        catch (Exception exception)
        {
            Report(exception);
            Guard(() => call.SendError(BusErrorNames.Failed, "The method failed."));
        }

        Complete(call);
    }

    private void Complete(PendingCall call)
    {
        _pending.Remove(call);
        Release(call);
    }

    private void Release(PendingCall call)
    {
        call.Release();
        if (call.Ended is { } ended)
        {
            Guard(ended);
        }
    }

    private void ReleaseCalls(bool answer)
    {
        foreach (var call in _pending)
        {
            call.TryClaim();
            if (answer)
            {
                Guard(() => call.SendError(BusErrorNames.NoReply, "The service is going away."));
            }

            Release(call);
        }

        _pending.Clear();
    }
}
