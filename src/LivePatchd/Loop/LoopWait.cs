// Where the loop sleeps: until one of its descriptors has something to say, or it is time.
using System.Runtime.InteropServices;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.Loop;

internal sealed class LoopWait(LoopParts parts, MonotonicClock clock)
{
    /// <summary>Polled always; the triggers come after them.</summary>
    private const int FixedFds = 4;

    public void Until(Instant until)
    {
        var timeout = until.Since(clock.Now());
        var triggers = parts.Gates.Triggers;
        SafeHandle?[] fds = [parts.Wake.Fd, parts.KernelLog.Fd, parts.Watcher.Fd, parts.Gates.Inhibitors.Fd, .. triggers.Armed.Select(t => t.Fd)];
        Span<bool> urgent = stackalloc bool[fds.Length];
        Span<PollOutcome> outcomes = stackalloc PollOutcome[fds.Length];
        urgent.Clear();
        urgent[FixedFds..].Fill(true);
        var waited = Poller.Wait(fds, urgent, outcomes, timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero, clock.Provider);
        if (!waited.IsOk)
            throw new InvalidOperationException($"the loop cannot wait: {waited.WithoutValue}");
        if (outcomes[0] is not PollOutcome.Quiet)
            parts.Wake.Drain();
        if (triggers.Collect(outcomes[FixedFds..]) || outcomes[FixedFds - 1] is not PollOutcome.Quiet)
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
