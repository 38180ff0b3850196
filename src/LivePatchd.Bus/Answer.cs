// What came back from a call: the peer's error, or its values if they are what was agreed.
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

internal static class Answer
{
    /// <param name="signature">The signature the answer must have.</param>
    internal static BusResult<T> Read<T>(nint message, string signature, Func<BusReader, T> read)
    {
        if (NativeError.Of(message) is { } error)
        {
            return error;
        }

        var reader = new BusReader(message);
        try
        {
            return reader.Signature == signature
                ? BusResult<T>.Ok(read(reader))
                : new BusError(BusErrorNames.InconsistentMessage, $"The answer is \"{reader.Signature}\", expected \"{signature}\".", BusErrno.BadMessage);
        }
        catch (BusFormatException malformed)
        {
            return new BusError(BusErrorNames.InconsistentMessage, malformed.Message, BusErrno.BadMessage);
        }
        finally
        {
            reader.Invalidate();
        }
    }
}
