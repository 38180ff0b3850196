// A message under construction: filled, checked against its declared signature, and dropped by the thread that made it.
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

internal readonly ref struct OutgoingMessage(nint message) : IDisposable
{
    internal void Fill(Action<BusWriter>? write, string? signature)
    {
        var writer = new BusWriter(message);
        try
        {
            write?.Invoke(writer);
        }
        finally
        {
            writer.Invalidate();
        }

        var written = Marshal.PtrToStringUTF8(SdBus.sd_bus_message_get_signature(message, 1)) ?? "";
        if (signature is not null && written != signature)
        {
            throw new InvalidOperationException($"The message was declared as \"{signature}\" and written as \"{written}\".");
        }
    }

    public void Dispose() => SdBus.sd_bus_message_unref(message);

    /// <summary>sd-bus takes 0 for its default and all ones for no limit.</summary>
    internal static ulong Microseconds(TimeSpan timeout) =>
        timeout == Timeout.InfiniteTimeSpan ? ulong.MaxValue : (ulong)Math.Max(1, timeout.TotalMicroseconds);

    /// <summary>A connection that has just gone is no fault of the sender: the loop finds out by itself.</summary>
    internal static void Check(int result)
    {
        if (result < 0 && result is not (-BusErrno.NotConnected or -BusErrno.ConnectionReset or -BusErrno.BrokenPipe or -BusErrno.ShutDown))
        {
            throw new InvalidOperationException(NativeError.FromErrno(result).ToString());
        }
    }
}
