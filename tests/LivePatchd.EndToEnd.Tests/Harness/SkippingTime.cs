// The real clock, which a test can put forward: what waits minutes in production need not be waited for.
namespace LivePatchd.EndToEnd.Tests;

internal sealed class SkippingTime : TimeProvider
{
    private long skipped;

    public void Skip(TimeSpan span) => Interlocked.Add(ref skipped, span.Ticks);

    public override long GetTimestamp() => System.GetTimestamp() + (long)(Skipped.TotalSeconds * TimestampFrequency);

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Skipped;

    public override long TimestampFrequency => System.TimestampFrequency;

    private TimeSpan Skipped => TimeSpan.FromTicks(Interlocked.Read(ref skipped));
}
