// Pressure in mid-transition: what stays is seen within two seconds, what spikes is not.
using System.Collections.Immutable;
using CsCheck;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;

namespace LivePatchd.Core.Tests.Policy;

public sealed class AbortPressureTests
{
    private static readonly TransitionSettings Settings = TransitionSettings.Default;

    [Fact]
    public void Pressure_above_the_mark_is_seen_within_two_seconds() => Gen.Select(Gen.Int[0, 50], Gen.Double[0.41, 1]).Sample(
        (calm, share) =>
        {
            var at = FirstAbort([.. Enumerable.Repeat(0.0, calm), .. Enumerable.Repeat(share, 20)]);
            return at is { } steps && steps <= Math.Max(calm, 0) + 18;
        });

    [Fact]
    public void Pressure_below_the_mark_is_never_a_reason() => Gen.Double[0, 0.39].Array[1, 80].Sample(shares => FirstAbort(shares) is null);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public void A_spike_is_no_reason_however_high(int steps) =>
        Assert.Null(FirstAbort([.. Enumerable.Repeat(0.0, 20), .. Enumerable.Repeat(1.0, steps), .. Enumerable.Repeat(0.0, 20)], Settings with { AbortIoFullRatio = 0.01 }, at: 1));

    [Fact]
    public void A_critical_patch_goes_on_and_so_does_any_with_the_mark_at_its_maximum()
    {
        var full = Enumerable.Repeat(1.0, 40).ToArray();
        Assert.NotNull(FirstAbort(full));
        Assert.Null(FirstAbort(full, Settings, Severity.Critical));
        Assert.Null(FirstAbort(full, Settings with { AbortIoFullRatio = 1 }));
    }

    [Fact]
    public void Without_the_kernels_figures_nothing_is_seen_and_little_is_kept()
    {
        ImmutableArray<PressureSample> kept = [];
        for (var i = 0; i < 500; i++)
        {
            (kept, var abort) = AbortPressure.Look(kept, Sample(i * 10, null), Settings, Severity.High);
            Assert.Null(abort);
        }
        Assert.InRange(kept.Length, 2, 64);
    }

    /// <summary>Shares of each tenth of a second; the value is the number of the one after which it must be reversed.</summary>
    private static int? FirstAbort(double[] shares, TransitionSettings? settings = null, Severity severity = Severity.High, int at = 0)
    {
        ImmutableArray<PressureSample> kept = [];
        var stalled = 0.0;
        (kept, _) = AbortPressure.Look(kept, Sample(0, 0), settings ?? Settings, severity);
        for (var i = at; i < shares.Length; i++)
        {
            stalled += 100 * shares[i];
            (kept, var abort) = AbortPressure.Look(kept, Sample((i + 1) * 100, stalled), settings ?? Settings, severity);
            if (abort is not null)
                return i + 1;
        }
        return null;
    }

    private static PressureSample Sample(double atMilliseconds, double? stalledMilliseconds)
    {
        PsiReading? io = stalledMilliseconds is { } stalled
            ? new(new PsiLine(0, 0, 0, TimeSpan.FromHours(1)), new PsiLine(0, 0, 0, TimeSpan.FromMilliseconds(stalled)))
            : null;
        return new(
            new Instant(TimeSpan.FromHours(1) + TimeSpan.FromMilliseconds(atMilliseconds), DateTimeOffset.UnixEpoch), io, null, null, null, 1, null, null, null, null);
    }
}
