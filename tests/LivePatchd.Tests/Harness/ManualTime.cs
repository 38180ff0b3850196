// A clock that stands still until a test moves it: a record's moment can be named.
namespace LivePatchd.Tests;

internal sealed class ManualTime : TimeProvider
{
    private static readonly DateTimeOffset BootedAt = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private long ticks = TimeSpan.FromHours(1).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Skip(TimeSpan span) => Interlocked.Add(ref ticks, span.Ticks);

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public override DateTimeOffset GetUtcNow() => BootedAt + TimeSpan.FromTicks(Interlocked.Read(ref ticks));
}
