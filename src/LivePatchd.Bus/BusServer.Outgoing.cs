// Calls that the service makes itself: sent at once, answered later on the bus thread, never waited for.
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

public sealed partial class BusServer
{
    private readonly HashSet<OutgoingCall> _outgoing = [];

    /// <summary>Calls another service. On the bus thread only.</summary>
    /// <param name="timeout">After it the answer is an error whose IsTimeout is true.</param>
    /// <param name="replySignature">The signature the answer must have.</param>
    /// <param name="done">On the bus thread, exactly once: with the answer, an error, or Disconnected when the connection ends first.</param>
    public void Call<T>(
        string destination, string path, string iface, string member, TimeSpan timeout, Action<BusWriter>? args, string replySignature, Func<BusReader, T> read,
        Action<BusResult<T>> done)
    {
        if (!IsOnBusThread)
        {
            throw new InvalidOperationException("A service calls others on its bus thread only.");
        }

        var gone = new BusError(BusErrorNames.Disconnected, "The connection has ended.", BusErrno.NotConnected);
        if (!IsOpen)
        {
            done(gone);
            return;
        }

        var result = SdBus.sd_bus_message_new_method_call(_bus, out var message, destination, path, iface, member);
        if (result >= 0)
        {
            using var outgoing = new OutgoingMessage(message);
            outgoing.Fill(args, signature: null);
            var call = new OutgoingCall(Complete, reply => done(reply == 0 ? gone : Answer.Read(reply, replySignature, read)));
            result = call.Send(_bus, message, timeout);
            if (result >= 0)
            {
                _outgoing.Add(call);
                return;
            }
        }

        done(NativeError.FromErrno(result));
    }

    private void Complete(OutgoingCall call, Action done)
    {
        _outgoing.Remove(call);
        Guard(done);
    }

    private void ReleaseOutgoing()
    {
        foreach (var call in _outgoing.ToArray())
        {
            call.Answer(0);
        }
    }
}
