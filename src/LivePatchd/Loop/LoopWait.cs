// Where the loop sleeps: until one of its descriptors has something to say, or it is time.
using System.Runtime.InteropServices;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.Loop;

internal sealed class LoopWait(LoopParts parts, MonotonicClock clock)
{
    /// <summary>Polled always; the triggers come after them.</summary>
    private const int FixedFds = 6;

    /// <summary>Of these, the table of mounts and all the triggers are waited for until they are urgent.</summary>
    private const int FirstUrgent = FixedFds - 1;

    private const int InhibitorsFd = 3;

    public void Until(Instant until)
    {
        var now = clock.Now();
        var timeout = Earliest(until, parts.Mounts.Due(now))!.Value.Since(now);
        var triggers = parts.Gates.Triggers;
        SafeHandle?[] fds = [parts.Wake.Fd, parts.KernelLog.Fd, parts.Watcher.Fd, parts.Gates.Inhibitors.Fd, parts.WallClock.Fd, parts.Mounts.Fd(now), .. triggers.Armed.Select(t => t.Fd)];
        Span<bool> urgent = stackalloc bool[fds.Length];
        Span<PollOutcome> outcomes = stackalloc PollOutcome[fds.Length];
        urgent.Clear();
        urgent[FirstUrgent..].Fill(true);
        var waited = Poller.Wait(fds, urgent, outcomes, timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero, clock.Provider);
        if (!waited.IsOk)
            throw new InvalidOperationException($"the loop cannot wait: {waited.WithoutValue}");
        if (outcomes[0] is not PollOutcome.Quiet)
            parts.Wake.Drain();
        // The table of mounts is in error when it has changed, and is as good as ever after that.
        if (outcomes[FirstUrgent] is not PollOutcome.Quiet)
            parts.Mounts.Rung();
        if (triggers.Collect(outcomes[FixedFds..]) || outcomes[InhibitorsFd] is not PollOutcome.Quiet)
            parts.Gates.Rung(clock.Now());
    }

    public static Instant? Earliest(params ReadOnlySpan<Instant?> moments)
    {
        Instant? first = null;
        foreach (var moment in moments)
        {
            if (moment is { } m && (first is not { } f || m.IsBefore(f)))
                first = m;
        }
        return first;
    }
}
