// What systemd says of a failed unit, and whether it had any standing when the patch was loaded.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Health;

/// <summary>Times are systemd's, on the clock that counts from the boot; null: it did not say, or it never happened.</summary>
/// <param name="ChangedAt">When the unit came into its state.</param>
/// <param name="UpSince">When it was up for the last time: the begin of that.</param>
/// <param name="Restarts">How often systemd restarted it by itself.</param>
/// <param name="IsTransient">It has no file: a program made it.</param>
/// <param name="IsPerConnection">An instance that a socket starts for each of its callers.</param>
public sealed record UnitFacts(TimeSpan? ChangedAt, TimeSpan? UpSince, uint Restarts, bool IsTransient, bool IsPerConnection)
{
    /// <summary>A unit that was restarted in this time before the load was failing anyway.</summary>
    public static readonly TimeSpan Calm = TimeSpan.FromHours(1);

    /// <summary>It failed before the load, whenever somebody looked.</summary>
    public bool FailedBefore(Instant load) => ChangedAt is { } at && at < load.Monotonic;

    public bool HasStanding(Instant load, TimeSpan uptime)
    {
        if (IsTransient || IsPerConnection)
            return false;
        // Never up, such as a job that runs and ends.
        if (UpSince is not { } since)
            return false;
        // Restarted after the load: when it was up before is not known any more, and it may well die of the patch.
        if (since >= load.Monotonic)
            return Restarts > 0;
        var up = load.Monotonic - since;
        return up >= (Restarts > 0 ? Calm : uptime);
    }
}
