// Signals for a client: match rules with callbacks, and the wait that delivers them on the waiting thread.
using System.Diagnostics;
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

public enum BusWait
{
    SignalDelivered,
    TimedOut,
    Cancelled,
}

public sealed partial class BusClient
{
    private readonly List<SignalMatch> _matches = [];
    private readonly Queue<(SignalMatch Match, nint Message)> _arrived = new();

    /// <summary>
    /// Asks the bus for a sender's signals; the callback runs inside <see cref="WaitForSignals"/>. Signals that somebody else sends to this
    /// connection are dropped, and so are those of more than a mebibyte.
    /// </summary>
    /// <param name="sender">A well-known name, whoever owns it when the signal is sent; or a unique one.</param>
    /// <param name="rule">The rest of a D-Bus match rule, without type and sender.</param>
    /// <param name="onSignal">Arguments, object path, member.</param>
    public BusResult<bool> AddMatch(string sender, string rule, Action<BusReader, string, string> onSignal)
    {
        var known = KnowOwner(sender);
        return known.IsOk ? Install(sender, rule, isImmediate: false, onSignal) : known;
    }

    /// <summary>Returns after delivered signals, the time limit, or when the other descriptor becomes readable; an error when the bus has gone.</summary>
    /// <param name="timeout">May be Timeout.InfiniteTimeSpan.</param>
    /// <param name="cancel">For example a <see cref="BusWake"/> that a signal handler sets.</param>
    public BusResult<BusWait> WaitForSignals(TimeSpan timeout, SafeHandle? cancel = null)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (Deliver())
            {
                return BusWait.SignalDelivered;
            }

            var result = _bus.Process();
            if (result < 0)
            {
                return NativeError.FromErrno(result);
            }

            if (_arrived.Count > 0)
            {
                continue;
            }

            var forever = timeout == Timeout.InfiniteTimeSpan;
            var left = forever ? timeout : timeout - Stopwatch.GetElapsedTime(started);
            // With no time at all, what has already arrived is still worked through.
            if (!forever && left <= TimeSpan.Zero && (result == 0 || timeout > TimeSpan.Zero))
            {
                return BusWait.TimedOut;
            }

            // Also between two messages, lest a flood of what is dropped keeps the wait from being cancelled.
            result = BusPoll.Wait(_bus, cancel, result > 0 ? TimeSpan.Zero : left, out var woken);
            if (result < 0)
            {
                return NativeError.FromErrno(result);
            }

            if (woken.HasFlag(BusPollWoken.Other))
            {
                return BusWait.Cancelled;
            }
        }
    }

    /// <summary>A signal that came while somebody waited for an answer is delivered by the next wait.</summary>
    internal void Keep(SignalMatch match, nint message) => _arrived.Enqueue((match, SdBus.sd_bus_message_ref(message)));

    /// <summary>What has come so far.</summary>
    private bool Deliver()
    {
        var count = _arrived.Count;
        for (var i = 0; i < count; i++)
        {
            var (match, message) = _arrived.Dequeue();
            try
            {
                match.Deliver(message);
            }
            finally
            {
                SdBus.sd_bus_message_unref(message);
            }
        }

        return count > 0;
    }

    private void ReleaseMatches()
    {
        while (_arrived.TryDequeue(out var arrived))
        {
            SdBus.sd_bus_message_unref(arrived.Message);
        }

        _matches.ForEach(static match => match.Dispose());
        _matches.Clear();
    }
}
