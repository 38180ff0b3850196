// A daemon that ends uncleanly again and again in one boot observes only: better no change than a loop of changes.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy;

public static class CrashLoop
{
    public const int MaxEnds = 3;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <param name="uncleanStarts">Starts of this boot, the present one excluded, that were not followed by a clean end.</param>
    /// <returns>The bar for this run of the daemon, or null.</returns>
    public static Reason? Decide(IEnumerable<Instant> uncleanStarts, Instant now) =>
        uncleanStarts.Count(s => s.Monotonic <= now.Monotonic && now.Since(s) < Window) >= MaxEnds ? Reason.CrashLoop : null;
}
