// The bus thread: posted work, sd-bus's work, sleep; and the orderly end of both.
using System.Diagnostics;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

public sealed partial class BusServer
{
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(1);

    // One message that sd-bus fails on costs that message; a stream it cannot read at all fails for ever and ends the connection.
    private const int MaxFailuresInARow = 16;

    // dbus-daemon stops reading from a connection of whose messages 127 MiB lie with peers that do not take them.
    private const ulong MaxUnsent = 128;
    private static readonly TimeSpan WritePiece = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MuteLimit = TimeSpan.FromSeconds(10);

    private long? _muteSince;

    private void Run()
    {
        var result = 0;
        var failures = 0;
        while (!_stopping && result >= 0)
        {
            // Turn and turn about: neither a flood of calls nor a flood of posted work starves the other.
            RunPosted();
            if (IsMute(out var forGood))
            {
                result = forGood ? -BusErrno.TimedOut : 0;
                continue;
            }

            result = _bus.Process();
            failures = result < 0 ? failures + 1 : 0;
            if (result < 0 && failures < MaxFailuresInARow && SdBus.sd_bus_is_open(_bus) > 0)
            {
                Report(new InvalidOperationException($"sd-bus could not deal with a message: {NativeError.FromErrno(result)}"));
                result = 0;
            }
            else if (result == 0)
            {
                result = Sleep();
            }
        }

        RunPosted();
        Release(answer: result >= 0);
        if (result < 0)
        {
            Guard(() => Disconnected?.Invoke(-result));
        }
    }

    /// <summary>
    /// The bus takes nothing more from us for now: to read on would be to keep answers without end. Where it stays so, only a new connection can
    /// speak again.
    /// </summary>
    private bool IsMute(out bool forGood)
    {
        forGood = false;
        if (SdBus.sd_bus_get_n_queued_write(_bus, out var unsent) < 0 || unsent <= MaxUnsent || BusPoll.IsWritable(_bus, WritePiece))
        {
            _muteSince = null;
            return false;
        }

        var since = _muteSince ??= Stopwatch.GetTimestamp();
        forGood = Stopwatch.GetElapsedTime(since) >= MuteLimit;
        return true;
    }

    private int Sleep()
    {
        var result = BusPoll.Wait(_bus, _wake, Timeout.InfiniteTimeSpan, out var woken);
        if (woken.HasFlag(BusPollWoken.Other))
        {
            _wake.Clear();
        }

        return result;
    }

    // Only what was there at the start: work that keeps coming must not keep the bus waiting.
    private void RunPosted()
    {
        Action[] actions;
        lock (_gate)
        {
            actions = [.. _posted];
            _posted.Clear();
        }

        foreach (var action in actions)
        {
            Guard(action);
        }
    }

    private void Release(bool answer)
    {
        lock (_gate)
        {
            _closed = true;
            _posted.Clear();
            _wake.Dispose();
        }

        // The calls of others first: they hear that the service is going, not what became of a question asked on their behalf.
        ReleaseCalls(answer);
        ReleaseOutgoing();
        ReleaseObjects();
        if (answer)
        {
            Flush();
        }

        _bus.Dispose();
        _filter.Dispose();
    }

    // sd_bus_flush has no limit; a bus that has stopped reading must not hold up our own end.
    private void Flush()
    {
        const int WantsToWrite = 0x4;
        var started = Stopwatch.GetTimestamp();
        while ((SdBus.sd_bus_get_events(_bus) & WantsToWrite) != 0 && Stopwatch.GetElapsedTime(started) < FlushTimeout)
        {
            if (_bus.Process() < 0 || BusPoll.Wait(_bus, null, FlushTimeout, out _) < 0)
            {
                return;
            }
        }
    }

    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception)
        {
            Report(exception);
        }
    }

    private void Report(Exception exception)
    {
        try
        {
            Faulted?.Invoke(exception);
        }
        catch
        {
            // The reporter itself failed; the bus thread goes on.
        }
    }
}
