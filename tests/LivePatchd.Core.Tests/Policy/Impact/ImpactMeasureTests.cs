// The report of what an operation did: figures by hand, and laws for any samples at all.
using System.Collections.Immutable;
using CsCheck;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using static LivePatchd.Core.Tests.Policy.Impact.Samples;

namespace LivePatchd.Core.Tests.Policy.Impact;

public sealed class ImpactMeasureTests
{
    private static readonly Gen<ulong?> Counter = Gen.Frequency((4, Gen.ULong[0, 1000].Select(n => (ulong?)n)), (1, Gen.Const((ulong?)null)));

    private static readonly Gen<PsiReading?> Psi =
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 1_000_000], Gen.Bool, (known, us, full) => known == 0 ? (PsiReading?)null
            : new PsiReading(Line(us), full ? Line(us / 2) : null));

    private static readonly Gen<PressureSample[]> Any = Gen
        .Select(Gen.Int[-50, 200], Psi, Psi, Psi, Counter, Counter, Counter, (step, io, cpu, memory, a, b, c) =>
            (Step: step, Sample: new PressureSample(Start, io, cpu, memory, null, 1, a is { } n && b is { } m ? new TcpCounters(n, m) : null, c, a, b)))
        .Array[0, 40]
        .Select(steps =>
        {
            var at = 0.0;
            return steps.Select(s => s.Sample with { At = At(at += s.Step / 1000.0) }).ToArray();
        });

    [Fact]
    public void Each_phase_has_its_own_figures_and_the_minute_before_stands_beside_them()
    {
        var report = ImpactMeasure.Measure(new ImpactWindow(
            [Sample(-60, io: 1, sent: 1000), Sample(-30, io: 1.3, sent: 2000, again: 10), Sample(0, io: 1.6, sent: 4000, again: 30)],
            [
                Sample(0, io: 1.6, sent: 4000, again: 30), Sample(0.1, io: 1.69, sent: 4100, again: 40), Sample(0.2, io: 1.78, sent: 4200, again: 45),
                Sample(0.3, io: 1.78, sent: 4300, again: 45, squeezes: 3), Sample(0.4, io: 1.84, sent: 4400, again: 45, squeezes: 3),
            ],
            [Sample(0.4, io: 1.84), Sample(5.4, io: 1.84)],
            [new PhaseSpan(ImpactPhase.Load, At(0), At(0.2)), new PhaseSpan(ImpactPhase.Transition, At(0.2), At(0.39))]));

        Assert.Equal(TimeSpan.FromMinutes(1), report.Before!.Duration);
        Assert.Equal(0.01, report.Before.Ratio(report.Before.IoStall)!.Value, 6);
        Assert.Equal(0.01, report.Before.RetransmitRatio!.Value, 6);
        Assert.Equal(50, report.Before.PerSecond(report.Before.OutSegments));
        Assert.Equal(TimeSpan.FromSeconds(0.24), report.During!.IoStall);
        Assert.Equal(TimeSpan.FromSeconds(0.06), report.During.IoFullStall);
        Assert.Equal(15UL, report.During.RetransmittedSegments);
        Assert.Equal(TimeSpan.Zero, report.After!.IoStall);
        Assert.Equal([ImpactPhase.Load, ImpactPhase.Transition], report.Phases.Select(p => p.Phase));
        Assert.Equal([TimeSpan.FromSeconds(0.18), TimeSpan.FromSeconds(0.06)], report.Phases.Select(p => p.Delta!.IoStall!.Value));
        Assert.Equal([0UL, 3UL], report.Phases.Select(p => p.Delta!.SoftirqSqueezes!.Value));
        Assert.Equal(TimeSpan.FromSeconds(0.19), report.Phases[1].Duration);
        Assert.Equal([TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(0.1)], report.Phases.Select(p => p.LongestStall!.Value));
        Assert.Equal(TimeSpan.FromSeconds(0.2), report.LongestStall);
        Assert.Equal([0.9, 0.9, 0, 0.6], report.Series.During.Select(p => Math.Round(p!.Value, 6)));
    }

    [Fact]
    public void A_phase_that_no_sample_fell_into_is_measured_by_those_around_it()
    {
        var report = ImpactMeasure.Measure(new ImpactWindow(
            [], [Sample(0, io: 1), Sample(0.1, io: 1.02), Sample(0.2, io: 1.05)], [], [new PhaseSpan(ImpactPhase.Load, At(0.12), At(0.13))]));
        Assert.Equal(TimeSpan.FromSeconds(0.01), report.Phases[0].Duration);
        Assert.Equal(TimeSpan.FromSeconds(0.03), report.Phases[0].Delta!.IoStall);
        Assert.Null(report.Before);
        Assert.Null(report.After);
    }

    [Fact]
    public void What_is_missing_stays_unknown()
    {
        var report = ImpactMeasure.Measure(new ImpactWindow(
            [Unknown(-60), Unknown(0)], [Unknown(0), Unknown(1), Unknown(2)], [Unknown(2), Unknown(3)], [new PhaseSpan(ImpactPhase.Revert, At(0), At(2))]));
        foreach (var delta in new[] { report.Before!, report.During!, report.After!, report.Phases[0].Delta! })
        {
            Assert.Equal(new PressureDelta(delta.Duration, null, null, null, null, null, null, null, null, null, null), delta);
            Assert.Null(delta.Ratio(delta.IoStall));
            Assert.Null(delta.PerSecond(delta.Oopses));
            Assert.Null(delta.RetransmitRatio);
        }
        Assert.Null(report.LongestStall);
        Assert.Equal([null, null], report.Series.During);
    }

    [Fact]
    public void A_counter_that_began_anew_is_unknown_and_the_others_are_not()
    {
        var delta = PressureDelta.Between(Sample(0, io: 9, sent: 100, again: 50), Sample(1, io: 1, sent: 200, again: 60))!;
        Assert.Null(delta.IoStall);
        Assert.Null(delta.CpuStall);
        Assert.Equal(10UL, delta.RetransmittedSegments);
        Assert.Equal(0.1, delta.RetransmitRatio);
        Assert.Null((PressureDelta.Between(Sample(0), Sample(1))!).RetransmitRatio);
    }

    [Theory]
    [InlineData(new[] { 0.4, 0.4, 0.4 }, 0)]
    [InlineData(new[] { 0.5 }, 0.1)]
    [InlineData(new[] { 0.9, 0.9, 0.1, 0.9 }, 0.2)]
    [InlineData(new[] { 0.9, 0.1, 0.9, 0.9, 0.9 }, 0.3)]
    public void The_longest_stall_is_the_longest_unbroken_run(double[] shares, double seconds)
    {
        var total = 0.0;
        var samples = shares.Select((s, i) => Sample((i + 1) / 10.0, io: total += s / 10)).Prepend(Sample(0)).ToArray();
        Assert.Equal(seconds, Stalls.Longest(samples)!.Value.TotalSeconds, 6);
        total = 0;
        var byMemory = shares.Select((s, i) => Sample((i + 1) / 10.0, memory: total += s / 10)).Prepend(Sample(0)).ToArray();
        Assert.Equal(seconds, Stalls.Longest(byMemory)!.Value.TotalSeconds, 6);
    }

    [Fact]
    public void No_samples_whatever_make_a_figure_below_zero_or_a_share_above_one() => Gen.Select(Any, Any, Any, Gen.Double[-1, 5], Gen.Double[0, 3]).Sample((before, during, after, from, length) =>
    {
        var report = ImpactMeasure.Measure(new ImpactWindow(
            [.. before], [.. during], [.. after], [new PhaseSpan(ImpactPhase.Load, At(from), At(from + length))]));
        foreach (var delta in new[] { report.Before, report.During, report.After, report.Phases[0].Delta }.OfType<PressureDelta>())
        {
            Assert.True(delta.Duration > TimeSpan.Zero);
            foreach (var stall in new[] { delta.IoStall, delta.IoFullStall, delta.CpuStall, delta.MemoryStall, delta.MemoryFullStall })
            {
                Assert.True(stall is null || stall >= TimeSpan.Zero);
                Assert.True(delta.Ratio(stall) is null or (>= 0 and <= 1));
            }
            Assert.True(delta.RetransmitRatio is null or >= 0);
        }
        Assert.True(report.LongestStall is null || report.LongestStall >= TimeSpan.Zero);
        var points = (ImmutableArray<double?>[])[report.Series.Before, report.Series.During, report.Series.After];
        Assert.InRange(points.Sum(p => p.Length), 0, ImpactSeries.MaxPoints);
        Assert.All(points.SelectMany(p => p), p => Assert.True(p is null or (>= 0 and <= 1)));
    });

    [Fact]
    public void The_points_of_a_row_hold_all_its_stall() => Gen.Double[0, 0.1].Array[1, 300].Sample(stalls =>
    {
        var total = 0.0;
        var samples = stalls.Select((s, i) => Sample((i + 1) / 10.0, io: total += s)).Prepend(Sample(0)).ToArray();
        var points = Stalls.Points(samples, 30);
        Assert.Equal(Math.Min(30, stalls.Length), points.Length);
        var held = points.Select((p, i) =>
            p!.Value * (((i + 1) * stalls.Length / points.Length) - (i * stalls.Length / points.Length)) / 10.0).Sum();
        Assert.Equal(total, held, tolerance: 0.0001);
    });

    [Fact]
    public void A_buffer_is_bounded_and_keeps_the_first_the_edges_and_the_last() => Gen.Int[1, 5000].Sample(count =>
    {
        var buffer = new SampleBuffer(capacity: 64);
        for (var i = 0; i < count; i++)
            buffer.Add(Sample(i));
        buffer.Add(Sample(count), always: true);
        var kept = buffer.ToImmutable();
        Assert.InRange(kept.Length, 1, 64);
        Assert.Equal(At(0), kept[0].At);
        Assert.Equal(At(count), kept[^1].At);
        Assert.True(kept.Zip(kept.Skip(1)).All(p => p.First.At.IsBefore(p.Second.At)));
        if (count < 63)
            Assert.Equal(count + 1, kept.Length);
    });

    private static PsiLine Line(int microseconds) => new(0, 0, 0, TimeSpan.FromMicroseconds(microseconds));
}
