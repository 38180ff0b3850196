// The table of series: exact texts in both formats, names by the conventions, the budgets, and docs/metrics.md.
using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Core.Tests;
using LivePatchd.Metrics;
using LivePatchd.Publish;

namespace LivePatchd.Tests.Metrics;

public sealed partial class SeriesTableTests : IDisposable
{
    private const string Document = "docs/metrics.md";
    private const string Begin = "<!-- series: begin -->\n";
    private const string End = "<!-- series: end -->";

    private readonly Bench bench = new();

    public void Dispose() => bench.Dispose();

    /// <summary>A host on which every family has a series.</summary>
    private static DaemonSnapshot Everything
    {
        get
        {
            var host = Views.Snapshot(
                Views.InForce(Given.One, 1),
                Views.Patch(Given.Two, PatchState.Held) with { Reason = Reason.IoPressure, PendingSince = Given.At(-30), Grade = EvidenceGrade.Suspect, Version = "2 \"beta\" \\" },
                Views.Patch(PatchName.Parse("lp_three"), PatchState.Transitioning),
                Views.InForce(PatchName.Parse("lp_four"), 4) with { State = PatchState.Soaking, SoakUntil = Given.At(900).Wall });
            return host with
            {
                Host = host.Host with { TransitionPatch = PatchName.Parse("lp_three"), TransitionSince = Given.At(-2).Wall, Conditions = [new(Reason.OperatorHold, "")] },
                Gates = Views.Gates(Gate.IoPressure, Gate.Hold) with { Hold = new StandingHold("audit", 0, Given.At(-100), null) },
                Refused = [new RefusedFile("/p/x.ko", null, Reason.NotAnElfFile, ""), new RefusedFile("/p/y.ko", null, Reason.NotAnElfFile, "")],
                History = [Views.Entry(Given.One, OperationResult.Done, Given.At(-10).Wall)],
            };
        }
    }

    private void Count()
    {
        var meter = bench.Meter.Instruments;
        meter.ConfigLoaded(good: true);
        meter.Loaded(TimeSpan.FromSeconds(0.25));
        meter.TransitionEnded(new Effect.Finish(Operation.Apply, OperationResult.Done), TimeSpan.FromSeconds(1.5), Given.Digest, job: 7);
        meter.TransitionEnded(new Effect.Finish(Operation.Apply, OperationResult.Reversed), TimeSpan.FromSeconds(130), Given.OtherDigest);
        meter.HeldBy(Gate.IoPressure);
        meter.Publish(Everything);
    }

    [Theory]
    [InlineData(false, "prometheus.txt")]
    [InlineData(true, "openmetrics.txt")]
    public void Write_HostWithEverything_TheTextOnFile(bool openMetrics, string file)
    {
        Count();
        RepositoryFile.Check("tests/LivePatchd.Tests/Metrics/Golden/" + file, Process().Replace(bench.Meter.Text(openMetrics), "$1 N"));
    }

    [Fact]
    public void Table_EveryFamily_HasASeriesOnThatHost()
    {
        Count();
        var seen = SeriesTable.Collect(bench.Meter.Instruments.Read()).Select(static f => f.Family.Name);
        Assert.Equal(SeriesTable.All.Select(static f => f.Name), seen);
    }

    [Fact]
    public void Table_Names_FollowTheConventions()
    {
        Assert.All(SeriesTable.All, static f =>
        {
            Assert.Matches("^(livepatchd|process)_[a-z0-9_]+$", f.Name);
            Assert.Equal(f.Kind is FamilyKind.Counter, f.Name.EndsWith("_total", StringComparison.Ordinal));
            Assert.Equal(f.Kind is FamilyKind.Info, f.Name.EndsWith("_info", StringComparison.Ordinal));
            Assert.DoesNotMatch("_(count|sum|bucket)$", f.Name);
            Assert.EndsWith(".", f.Help, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', f.Help);
            Assert.All(f.Labels, static l => Assert.Matches("^[a-z][a-z0-9_]*$", l));
        });
        Assert.Equal(SeriesTable.All.Length, SeriesTable.All.Select(static f => f.OpenMetricsName).Distinct().Count());
    }

    [Fact]
    public void Budget_IdleHost_FiftySeries()
    {
        bench.Meter.Instruments.ConfigLoaded(good: true);
        bench.Meter.Instruments.Publish(Views.Snapshot() with { Gates = Views.Gates() });
        Assert.InRange(bench.Meter.Series.Length, 1, 50);
    }

    [Theory]
    [InlineData(PatchState.Active, null)]
    [InlineData(PatchState.Soaking, null)]
    [InlineData(PatchState.Held, Reason.IoPressure)]
    [InlineData(PatchState.Rejected, Reason.WrongKernel)]
    [InlineData(PatchState.Quarantined, Reason.KernelOops)]
    [InlineData(PatchState.Active, Reason.RemovedFromDirectory)]
    public void Budget_FiftyPatches_ThreeHundredSeries(PatchState state, Reason? reason)
    {
        var loaded = state is PatchState.Active or PatchState.Soaking;
        var patches = Enumerable.Range(0, 50).Select(i => Views.InForce(PatchName.Parse($"lp_{i:D2}"), i) with
        {
            State = state,
            Reason = reason,
            LoadedSince = loaded ? Given.Now.Wall : null,
            SoakUntil = state is PatchState.Soaking ? Given.At(900).Wall : null,
            PendingSince = state is PatchState.Held ? Given.Now : null,
            Cves = [.. Enumerable.Range(0, 5).Select(n => $"CVE-2025-{1000 + 10 * i + n}")],
        });
        var meter = bench.Meter.Instruments;
        meter.ConfigLoaded(good: true);
        foreach (var result in Enum.GetValues<OperationResult>())
            meter.TransitionEnded(new Effect.Finish(Operation.Apply, result), TimeSpan.FromSeconds(1));
        meter.Publish(Views.Snapshot([.. patches]) with
        {
            Gates = Views.Gates(),
            History = [.. Enumerable.Range(0, 50).Select(static i => Views.Entry(PatchName.Parse($"lp_{i:D2}"), OperationResult.Done, Given.Now.Wall))],
        });
        Assert.InRange(bench.Meter.Series.Length, 150, SeriesTable.Budget);
        Assert.Equal(50, bench.Meter.Count("livepatchd_patch_state"));
    }

    [Fact]
    public void Patches_ThousandOfThem_ThoseThatNeedAPersonHaveSeries()
    {
        var patches = Enumerable.Range(0, 1000).Select(static i => Views.Patch(PatchName.Parse($"lp_{i:D4}"), i % 100 == 99 ? PatchState.Quarantined : PatchState.Rejected));
        bench.Meter.Instruments.Publish(Views.Snapshot([.. patches]));
        Assert.Equal(SeriesTable.MaxPatches, bench.Meter.Count("livepatchd_patch_info"));
        Assert.Equal(10, bench.Meter.Series.Count(static l => l.StartsWith("livepatchd_patch_state", StringComparison.Ordinal) && l.Contains("quarantined", StringComparison.Ordinal)));
        Assert.Equal(990, bench.Meter.Value("livepatchd_patches", "state=rejected"));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("*/*", false)]
    [InlineData("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", false)]
    [InlineData("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true)]
    [InlineData("application/openmetrics-text; q=0, text/plain", false)]
    public void WantsOpenMetrics_AcceptHeader_WhatItNames(string? accept, bool wanted) => Assert.Equal(wanted, Exposition.WantsOpenMetrics(accept));

    [Fact]
    public void Document_ListOfSeries_IsTheTable()
    {
        var text = File.ReadAllText(RepositoryFile.PathOf(Document));
        var (from, to) = (text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, text.IndexOf(End, StringComparison.Ordinal));
        Assert.True(from >= Begin.Length && to >= from, "the marks are missing");
        RepositoryFile.Check(Document, text[..from] + Table() + text[to..]);
    }

    private static string Table()
    {
        var text = new StringBuilder("| series | type | labels | what it says |\n|---|---|---|---|\n");
        foreach (var f in SeriesTable.All)
            text.Append($"| `{f.Name}` | {f.Kind.ToString().ToLowerInvariant()} | {string.Join(", ", f.Labels.Select(static l => $"`{l}`"))} | {f.Help} |\n");
        return text.ToString();
    }

    [GeneratedRegex("(process_(?:cpu_seconds_total|resident_memory_bytes)) .*")]
    private static partial Regex Process();
}
