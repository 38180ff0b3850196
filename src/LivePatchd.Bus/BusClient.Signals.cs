// Signals for a client: match rules with callbacks, and the wait that delivers them on the waiting thread.
using System.Diagnostics;
using System.Runtime.ExceptionServices;
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
    private int _delivered;
    private ExceptionDispatchInfo? _callbackFailure;

    /// <summary>Asks the bus for signals by a D-Bus match rule; the callback runs inside <see cref="WaitForSignals"/>.</summary>
    /// <param name="onSignal">Arguments, object path, member.</param>
    public unsafe BusResult<bool> AddMatch(string rule, Action<BusReader, string, string> onSignal)
    {
        var match = new SignalMatch(this, onSignal);
        using var undisturbed = SignalBlock.Enter();
        var result = SdBus.sd_bus_add_match(_bus, out var slot, rule, &Dispatch.OnSignal, match.UserData);
        match.Slot = slot;
        if (result < 0)
        {
            match.Release();
            return NativeError.FromErrno(result);
        }

        _matches.Add(match);
        return true;
    }

    /// <summary>Returns after one delivered signal, the time limit, or when the other descriptor becomes readable; an error when the bus has gone.</summary>
    /// <param name="timeout">May be Timeout.InfiniteTimeSpan.</param>
    /// <param name="cancel">For example a <see cref="BusWake"/> that a signal handler sets.</param>
    public BusResult<BusWait> WaitForSignals(TimeSpan timeout, SafeHandle? cancel = null)
    {
        var started = Stopwatch.GetTimestamp();
        _delivered = 0;
        while (true)
        {
            var result = SdBus.sd_bus_process(_bus, 0);
            if (result < 0)
            {
                return NativeError.FromErrno(result);
            }

            Interlocked.Exchange(ref _callbackFailure, null)?.Throw();
            if (_delivered > 0)
            {
                return BusWait.SignalDelivered;
            }

            var forever = timeout == Timeout.InfiniteTimeSpan;
            var left = forever ? timeout : timeout - Stopwatch.GetElapsedTime(started);
            // With no time at all, what has already arrived is still worked through.
            if (!forever && left <= TimeSpan.Zero && (result == 0 || timeout > TimeSpan.Zero))
            {
                return BusWait.TimedOut;
            }

            if (result > 0)
            {
                continue;
            }

            result = BusPoll.Wait(_bus, cancel, left, out var woken);
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

    internal void NoteDelivered(Exception? failure)
    {
        _delivered++;
        _callbackFailure ??= failure is null ? null : ExceptionDispatchInfo.Capture(failure);
    }

    private void ReleaseMatches()
    {
        _matches.ForEach(static match => match.Release());
        _matches.Clear();
    }
}
