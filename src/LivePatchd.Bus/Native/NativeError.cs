// The sd_bus_error structure, and its translation into BusError.
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

[StructLayout(LayoutKind.Sequential)]
internal struct NativeError
{
    public nint Name;
    public nint Message;
    public int NeedFree;

    /// <summary>What a failed call left here, or libsystemd's own words for the errno; frees the structure.</summary>
    /// <param name="result">The negative return value of the call.</param>
    internal static BusError Take(ref NativeError error, int result)
    {
        if (error.Name == 0)
        {
            _ = SdBus.sd_bus_error_set_errno(ref error, -result);
        }

        var taken = new BusError(
            Marshal.PtrToStringUTF8(error.Name) ?? BusErrorNames.Failed,
            Marshal.PtrToStringUTF8(error.Message) ?? "",
            -result);
        SdBus.sd_bus_error_free(ref error);
        return taken;
    }

    /// <summary>The error that a message carries, also one sd-bus made itself for a call without an answer; null for any other message.</summary>
    internal static unsafe BusError? Of(nint message)
    {
        var error = SdBus.sd_bus_message_get_error(message);
        return error is null || error->Name == 0
            ? null
            : new BusError(
                Marshal.PtrToStringUTF8(error->Name) ?? BusErrorNames.Failed,
                Marshal.PtrToStringUTF8(error->Message) ?? "",
                SdBus.sd_bus_message_get_errno(message));
    }

    internal static BusError FromErrno(int result)
    {
        var error = default(NativeError);
        return Take(ref error, result);
    }
}
