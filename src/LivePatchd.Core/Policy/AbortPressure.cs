// Whether a running transition makes the machine wait so much that it must be taken back at once.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy;

/// <summary>
/// The mark is a share of time in which all tasks waited for I/O. The kernel's own average of ten seconds follows too slowly to act
/// on within two, so the share is reckoned from the totals over <see cref="Window"/>. It must be above the mark over the whole window, and
/// from reading to reading in at least half of it: pressure that stays is seen within the window, a short spike, however high, is not
/// pressure that stays.
/// </summary>
public static class AbortPressure
{
    /// <summary>Less than the two seconds that may pass until the write, by the time that deciding and writing take.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(1.6);

    // At ten readings a second there are sixteen in a window; a faster sampler drops the oldest.
    private const int MaxSamples = 64;

    /// <param name="during">Readings since the transition began, oldest first; empty at its beginning.</param>
    /// <returns>The readings to keep, and what was seen when the transition must be reversed: null when it may go on.</returns>
    public static (ImmutableArray<PressureSample> During, string? Abort) Look(
        ImmutableArray<PressureSample> during, PressureSample sample, TransitionSettings settings, Severity severity)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var kept = Keep(during, sample);
        if (settings.AbortIoFullRatio >= 1 || severity is Severity.Critical || sample.Io?.Full is not { } now)
            return (kept, null);
        var mark = settings.AbortIoFullRatio;
        if (Begin(kept) is not { } begin || kept[begin].Io?.Full is not { } first)
            return (kept, null);
        var length = sample.At.Since(kept[begin].At);
        var share = (now.Total - first.Total) / length;
        var above = TimeSpan.Zero;
        for (var i = begin + 1; i < kept.Length; i++)
        {
            if (Share(kept[i - 1], kept[i]) > mark)
                above += kept[i].At.Since(kept[i - 1].At);
        }
        return share > mark && above >= length / 2
            ? (kept, FormattableString.Invariant($"all tasks waited for I/O {100 * share:0} % of the last {length.TotalSeconds:0.0} s, the mark is {100 * mark:0.##} %"))
            : (kept, null);
    }

    /// <summary>The newest reading that is a whole window old.</summary>
    private static int? Begin(ImmutableArray<PressureSample> samples)
    {
        for (var i = samples.Length - 1; i >= 0; i--)
        {
            if (samples[^1].At.Since(samples[i].At) >= Window)
                return i;
        }
        return null;
    }

    private static double Share(PressureSample before, PressureSample after) =>
        before.Io?.Full is { } first && after.Io?.Full is { } second && before.At.IsBefore(after.At)
            ? (second.Total - first.Total) / after.At.Since(before.At)
            : 0;

    private static ImmutableArray<PressureSample> Keep(ImmutableArray<PressureSample> during, PressureSample sample)
    {
        var from = Math.Max(0, during.Length - MaxSamples + 1);
        // One that is older than the window must stay: the share begins at it.
        while (from + 1 < during.Length && sample.At.Since(during[from + 1].At) >= Window)
            from++;
        return [.. during[from..], sample];
    }
}
