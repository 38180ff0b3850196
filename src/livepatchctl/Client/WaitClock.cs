// A limit on a wait, counted on the monotonic clock from the moment of its making.
namespace LivePatchd.Ctl.Client;

internal sealed class WaitClock(TimeProvider clock, TimeSpan? limit)
{
    private readonly long _started = clock.GetTimestamp();

    public TimeSpan Elapsed => clock.GetElapsedTime(_started);

    public bool IsOver => limit is { } set && Elapsed >= set;

    /// <summary>What is left, but no more than the given pause; infinite when neither ends it.</summary>
    public TimeSpan AtMost(TimeSpan? pause) => (limit - Elapsed, pause) switch
    {
        (null, null) => Timeout.InfiniteTimeSpan,
        ({ } left, null) => NotNegative(left),
        (null, { } most) => most,
        ({ } left, { } most) => NotNegative(left < most ? left : most),
    };

    private static TimeSpan NotNegative(TimeSpan span) => span < TimeSpan.Zero ? TimeSpan.Zero : span;
}
