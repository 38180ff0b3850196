// A moment as the core sees it: monotonic for deadlines, wall clock only to show to people.
namespace LivePatchd.Core.Model;

/// <summary>
/// <paramref name="Monotonic"/> is time since boot (CLOCK_MONOTONIC): comparable within one boot id, across daemon restarts.
/// <paramref name="Wall"/> is never compared: clocks jump.
/// </summary>
public readonly record struct Instant(TimeSpan Monotonic, DateTimeOffset Wall)
{
    public Instant After(TimeSpan span) => new(Monotonic + span, Wall + span);

    public bool IsBefore(Instant other) => Monotonic < other.Monotonic;

    public TimeSpan Since(Instant earlier) => Monotonic - earlier.Monotonic;
}
