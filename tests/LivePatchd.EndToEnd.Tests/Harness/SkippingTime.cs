// The real clock, which a test can put forward: what waits minutes in production need not be waited for.
namespace LivePatchd.EndToEnd.Tests;

internal sealed class SkippingTime : TimeProvider
{
    /// <summary>The host was booted so long before the test began: where no systemd tells, its boot is complete.</summary>
    public TimeSpan Uptime { get; init; } = TimeSpan.FromHours(1);

    private long skipped;
    private long wallOffset;

    public void Skip(TimeSpan span) => Interlocked.Add(ref skipped, span.Ticks);

    /// <summary>Somebody sets the wall clock, so far from what it should be; no time passes.</summary>
    public void SetWall(TimeSpan offset) => Interlocked.Exchange(ref wallOffset, offset.Ticks);

    public override long GetTimestamp() => System.GetTimestamp() + (long)((Uptime + Skipped).TotalSeconds * TimestampFrequency);

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Skipped + TimeSpan.FromTicks(Interlocked.Read(ref wallOffset));

    public override long TimestampFrequency => System.TimestampFrequency;

    private TimeSpan Skipped => TimeSpan.FromTicks(Interlocked.Read(ref skipped));
}
