// A daemon that ends uncleanly again and again in one boot observes only: better no change than a loop of changes.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy;

public static class CrashLoop
{
    public const int MaxEnds = 3;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    private const int MaxDoublings = 5;

    /// <param name="uncleanStarts">Starts of this boot, the present one excluded, that were not followed by a clean end.</param>
    /// <param name="now">The start of this run.</param>
    /// <returns>
    /// Until when this run of the daemon changes nothing, or null. The pause doubles with each unclean end of the boot beyond the third: a loop that
    /// goes on after a pause is met with a longer one, and one that is over does not keep a fix out for good.
    /// </returns>
    public static Instant? BarredUntil(IEnumerable<Instant> uncleanStarts, Instant now)
    {
        var starts = uncleanStarts.Where(s => s.Monotonic <= now.Monotonic).ToList();
        return starts.Count(s => now.Since(s) < Window) < MaxEnds ? null : now.After(Window * Math.Pow(2, Math.Min(starts.Count - MaxEnds, MaxDoublings)));
    }
}
