// The edges of the policies: sources that are missing, counters that went back, values outside their closed sets.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Core.Tests.Policy.Gates;
using static LivePatchd.Core.Tests.Policy.Impact.Samples;

namespace LivePatchd.Core.Tests.Policy;

public sealed class EdgeTests
{
    private static readonly Func<string, TimeZoneInfo?> Zones = id => id == "UTC" ? TimeZoneInfo.Utc : null;

    private static (GateMemory Memory, GateBoard Board) Ask(GateMemory memory, PressureSample sample, GateSettings? settings = null) =>
        Gatekeeper.Ask(memory, new GateQuestion(sample, [], true, [], [], settings ?? GateSettings.Default with { Settle = TimeSpan.Zero }, Zones));

    /// <summary>Two readings five seconds apart.</summary>
    private static GateBoard Then(PressureSample first, PressureSample second) => Ask(Ask(GateMemory.Empty, first).Memory, second).Board;

    [Fact]
    public void What_is_in_no_closed_set_is_a_bug()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => TransitionMachine.Target((LifecycleEvent)99));
        Assert.Throws<ArgumentOutOfRangeException>(() => GateReasons.Of((Gate)99));
    }

    [Fact]
    public void The_phases_of_an_impact_have_their_words() =>
        Assert.Equal(["load", "transition", "revert"], Enum.GetValues<ImpactPhase>().Select(ImpactJson.Word));

    [Fact]
    public void A_gate_whose_source_is_missing_says_which()
    {
        var board = Then(Unknown(0), Unknown(5));
        Assert.Equal(["/proc/loadavg", "/proc/pressure/io", "/proc/pressure/cpu", "/proc/pressure/memory", "/proc/net/snmp"],
            board.Gates.Where(g => !g.Available).Select(g => g.Detail.Split(' ')[0]));
        Assert.Equal(Reason.GateUnavailable, board.Reason);
    }

    [Fact]
    public void Counters_that_went_back_say_nothing()
    {
        var network = Then(Sample(0, sent: 5000, again: 4000, squeezes: 9), Sample(5, sent: 10, again: 5, squeezes: 1)).Of(Gate.Network);
        Assert.True(network.Open);
        Assert.Contains("0 of 0 segments", network.Detail, StringComparison.Ordinal);
        Assert.Contains("0 softirq squeezes", network.Detail, StringComparison.Ordinal);
        var unknown = Then(Sample(0) with { SoftirqSqueezes = null }, Sample(5, sent: 5000, again: 4000)).Of(Gate.Network);
        Assert.False(unknown.Open);
        Assert.DoesNotContain("squeezes", unknown.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("squeezes", Then(Sample(0), Sample(5) with { SoftirqSqueezes = null }).Of(Gate.Network).Detail, StringComparison.Ordinal);
        Assert.True(Then(Sample(0, io: 50), Sample(5, io: 1)).Of(Gate.IoPressure).Open);
    }

    [Fact]
    public void A_kernel_without_full_lines_is_judged_by_some()
    {
        static PressureSample Without(PressureSample s) => s with { Io = s.Io!.Value with { Full = null } };
        foreach (var (first, second) in new[] { (Without(Sample(0)), Without(Sample(5, io: 4))), (Sample(0), Without(Sample(5, io: 4))), (Without(Sample(0)), Sample(5, io: 4)) })
        {
            var io = Then(first, second).Of(Gate.IoPressure);
            Assert.False(io.Open);
            Assert.Equal(0.8, io.Value!.Value, 3);
        }
    }

    [Fact]
    public void A_window_in_an_unknown_zone_is_a_missing_source_unless_another_is_open()
    {
        var noon = new DateTimeOffset(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);
        GateState Window(params MaintenanceWindow[] windows) =>
            Ask(GateMemory.Empty, Sample(0) with { At = new Instant(TimeSpan.FromHours(1), noon) }, GateSettings.Default with { Windows = [.. windows] }).Board.Of(Gate.Window);
        MaintenanceWindow At(int hour, int hours, string zone = "UTC") => new(WeekDays.All, new TimeOnly(hour, 0), TimeSpan.FromHours(hours), zone);

        Assert.False(Window(At(11, 4, "Mars/Olympus")).Available);
        Assert.False(Window(At(20, 1), At(11, 4, "Mars/Olympus")).Available);
        Assert.True(Window(At(11, 4, "Mars/Olympus"), At(11, 4)).Open);
        // Of two that are open the one that ends last, of two to come the one that comes first; an open one beats those to come.
        Assert.Contains("T15:00:00", Window(At(11, 2), At(11, 4)).Detail, StringComparison.Ordinal);
        Assert.Contains("T15:00:00", Window(At(11, 4), At(11, 2)).Detail, StringComparison.Ordinal);
        Assert.Contains("opens at 2026-03-04T18:00:00", Window(At(20, 1), At(18, 1)).Detail, StringComparison.Ordinal);
        Assert.Contains("opens at 2026-03-04T18:00:00", Window(At(18, 1), At(20, 1)).Detail, StringComparison.Ordinal);
        Assert.True(Window(At(20, 1), At(11, 4)).Open);
        Assert.True(Window(At(11, 4), At(20, 1)).Open);
        Assert.Contains("no window ever opens", Window(new MaintenanceWindow(WeekDays.None, new TimeOnly(1, 0), TimeSpan.FromHours(1), "UTC")).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DeferralAnswer.Go, true, false)]
    [InlineData(DeferralAnswer.GoAnyway, true, true)]
    [InlineData(DeferralAnswer.Wait, false, false)]
    [InlineData(DeferralAnswer.Keep, false, true)]
    public void Every_answer_says_whether_it_may_go_and_whether_the_budget_is_spent(DeferralAnswer answer, bool goes, bool spent)
    {
        var decision = new DeferralDecision(answer, At(0));
        Assert.Equal((goes, spent), (decision.MayGo, decision.Exhausted));
    }

    [Fact]
    public void A_gate_that_is_open_decides_nothing_in_a_deferral()
    {
        GateState State(Gate gate, bool open) => new(gate, open, At(0), true, null, null, null, null, null, "");
        var board = new GateBoard([State(Gate.Hold, true), State(Gate.Load, false)], Reason.LoadTooHigh, null, "");
        var request = new DeferralRequest(At(0), Severity.Medium, null, At(60), false);
        Assert.Equal(DeferralAnswer.GoAnyway, Deferral.Decide(request, Settings.Default.Deferral, board, At(60)).Answer);
        Assert.Equal(At(86400), Deferral.Until(request with { AskedDeadline = At(1e6) }, Settings.Default.Deferral, At(0)));
        Assert.Equal(At(86400), Deferral.Until(request with { AskedDeadline = null, ManifestDeadline = At(1e6).Wall }, Settings.Default.Deferral, At(0)));
        Assert.Equal(At(50), Deferral.Until(request with { AskedDeadline = null, ManifestDeadline = At(50).Wall }, Settings.Default.Deferral, At(0)));
    }

    [Fact]
    public void The_report_comes_before_the_reversal_whatever_is_set()
    {
        var size = new MachineSize(2, 100);
        TransitionSettings Set(double? report, double? reverse) => TransitionSettings.Default with
        {
            SetReportAfter = report is { } r ? TimeSpan.FromSeconds(r) : null,
            SetReverseAfter = reverse is { } s ? TimeSpan.FromSeconds(s) : null,
        };
        Assert.Equal(new StallDeadlines(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(60)), StallDeadlines.For(Set(20, 60), size));
        Assert.Equal(new StallDeadlines(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10)), StallDeadlines.For(Set(null, 10), size));
        Assert.Equal(new StallDeadlines(TimeSpan.FromSeconds(300), TimeSpan.FromSeconds(600)), StallDeadlines.For(Set(300, null), size));
        Assert.Equal(TimeSpan.FromSeconds(600), Set(300, null).ReverseAfter);
        Assert.Equal(TimeSpan.FromSeconds(60), Set(20, 60).ReverseAfter);
    }

    [Fact]
    public void Readings_without_a_source_are_no_pressure()
    {
        var during = ImmutableArray<PressureSample>.Empty;
        string? abort = null;
        for (var i = 0; i <= 40; i++)
        {
            var sample = i % 2 == 0 ? Sample(i * 0.1, io: i * 0.4) : Unknown(i * 0.1);
            (during, abort) = AbortPressure.Look(during, sample, TransitionSettings.Default, Severity.Medium);
        }
        Assert.Null(abort);
        // Two at one moment make no share either.
        (_, abort) = AbortPressure.Look([Sample(0), Sample(0, io: 4), Sample(0, io: 4)], Sample(2, io: 4), TransitionSettings.Default, Severity.Medium);
        Assert.Null(abort);
    }

    [Fact]
    public void A_cpu_that_is_not_counted_is_not_chosen()
    {
        var facts = new CpuFacts([0, 1], [0, 1], [], [], [new SoftirqCount(7, 1, 1)]);
        Assert.Null(LoadCpu.Choose(new PlacementSettings(CpuChoice.Auto, null, 10), facts).Cpu);
    }

    [Fact]
    public void A_stall_ends_with_the_first_calm_sample()
    {
        PressureSample[] samples = [Sample(0), Sample(1, io: 1), Sample(2, io: 2), Sample(3, io: 2), Sample(4, io: 3), Unknown(5), Sample(6, io: 3)];
        Assert.Equal(TimeSpan.FromSeconds(2), Stalls(samples));
        Assert.Equal(TimeSpan.FromSeconds(1), Stalls([Sample(0), Sample(1, memory: 1)]));
        Assert.Equal(TimeSpan.Zero, Stalls([Sample(0, io: 9), Sample(1)]));
        Assert.Null(Stalls([Unknown(0), Unknown(1)]));

        static TimeSpan? Stalls(PressureSample[] samples) => Core.Policy.Impact.Stalls.Longest(samples);
    }

    [Fact]
    public void A_patch_without_a_history_has_none_to_show() => Assert.Null(History.Latest([], PatchName.Parse("lp_a")));

    private const string Entry = """
        {"time":"2026-01-01T00:00:00Z","patch":"lp_a","sha256":null,"operation":"apply","result":"done","impact":{
        "before":null,"during":{"seconds":1,"io_stall_seconds":null,"io_full_stall_seconds":null,"cpu_stall_seconds":null,"memory_stall_seconds":null,
        "memory_full_stall_seconds":null,"out_segments":null,"retransmitted_segments":1,"softirq_squeezes":null,"oopses":null,"warnings":null},"after":null,
        "phases":[{"phase":"load","seconds":0.5,"delta":null,"longest_stall_seconds":null}],"longest_stall_seconds":null,
        "io_stall_ratio":{"before":[],"during":[0.5,null],"after":[]}}}
        """;

    [Fact]
    public void A_history_that_is_whole_is_read() => Assert.Single(ReadHistory(Entry)!.Value);

    [Theory]
    [InlineData("\"lp_a\"", "\"a b\"")]
    [InlineData("\"apply\"", "\"fly\"")]
    [InlineData("\"done\"", "7")]
    [InlineData("\"load\"", "\"unload everything\"")]
    [InlineData("\"seconds\":0.5", "\"seconds\":null")]
    [InlineData("\"seconds\":0.5", "\"seconds\":-1")]
    [InlineData("\"during\":{\"seconds\":1", "\"during\":{\"seconds\":0")]
    [InlineData("\"during\":{\"seconds\":1", "\"during\":{\"seconds\":null")]
    [InlineData("\"retransmitted_segments\":1", "\"retransmitted_segments\":-1")]
    public void A_history_that_is_not_is_none(string part, string other)
    {
        Assert.Contains(part, Entry, StringComparison.Ordinal);
        Assert.Null(ReadHistory(Entry.Replace(part, other, StringComparison.Ordinal)));
    }

    private static ImmutableArray<HistoryEntry>? ReadHistory(string entry) =>
        ImpactJson.ReadHistory(Encoding.UTF8.GetBytes("{\"schema\":1,\"entries\":[" + entry + "]}"));
}
