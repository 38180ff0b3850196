// The one place where the daemon reads a clock; the core gets the value as an argument.
using LivePatchd.Core.Model;

namespace LivePatchd.Loop;

internal sealed class MonotonicClock(TimeProvider provider)
{
    public TimeProvider Provider => provider;

    /// <summary>TimeProvider's timestamp is CLOCK_MONOTONIC on Linux: time since boot, equal for every process of the boot.</summary>
    public Instant Now() => new(provider.GetElapsedTime(0), provider.GetUtcNow());
}
