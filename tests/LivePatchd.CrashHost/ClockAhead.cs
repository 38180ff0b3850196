// The real clocks, so far ahead as the parent says.
namespace LivePatchd.CrashHost;

internal sealed class ClockAhead(TimeSpan ahead) : TimeProvider
{
    public override long TimestampFrequency => System.TimestampFrequency;

    public override long GetTimestamp() => System.GetTimestamp() + (long)(ahead.TotalSeconds * TimestampFrequency);

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + ahead;
}
