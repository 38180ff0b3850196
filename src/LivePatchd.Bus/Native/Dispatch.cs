// The functions sd-bus calls back; no exception leaves them.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

internal static class Dispatch
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static int OnMethod(nint message, nint userData, nint error)
    {
        try
        {
            var served = (ServedInterface)GCHandle.FromIntPtr(userData).Target!;
            served.Server.DispatchMethod(served, message);
            return 1;
        }
        catch
        {
            // DispatchMethod answers what a handler throws; this is for its own failures. sd-bus answers the errno.
            return -BusErrno.InputOutput;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static int OnGetProperty(nint bus, nint path, nint iface, nint property, nint reply, nint userData, nint error)
    {
        try
        {
            var served = (ServedInterface)GCHandle.FromIntPtr(userData).Target!;
            return served.Server.DispatchGet(served, property, reply)
                ? 1
                : SdBus.sd_bus_error_set(error, BusErrorNames.Failed, "The property cannot be read.");
        }
        catch
        {
            return -BusErrno.InputOutput;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static int OnReply(nint message, nint userData, nint error)
    {
        try
        {
            ((OutgoingCall)GCHandle.FromIntPtr(userData).Target!).Answer(message);
        }
        catch
        {
            // Answer reports what the callback throws.
        }

        return 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static int OnSignal(nint message, nint userData, nint error)
    {
        try
        {
            ((SignalMatch)GCHandle.FromIntPtr(userData).Target!).Take(message);
        }
        catch
        {
            // Take runs nothing of others; nothing may stop other matches.
        }

        // 0: other matches of the same connection see the signal too.
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static int OnMatchInstalled(nint message, nint userData, nint error)
    {
        try
        {
            ((SignalMatch)GCHandle.FromIntPtr(userData).Target!).NoteInstalled(NativeError.Of(message));
        }
        catch
        {
            // Nothing is thrown there; the wait for it has a limit.
        }

        return 1;
    }
}
