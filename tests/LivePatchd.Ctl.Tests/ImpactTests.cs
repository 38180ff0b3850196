// What an operation did to the machine, as people and programs see it: the exact text, the schema, the bars on a terminal.
using System.Buffers;
using System.Text;
using System.Text.Json;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Tests;

public sealed class ImpactTests : CtlTest
{
    private static readonly DateTimeOffset Then = new(2026, 3, 1, 12, 0, 1, 250, TimeSpan.Zero);

    private static PressureDelta Delta(double seconds, double io) => new(
        TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(io), TimeSpan.FromSeconds(io / 4), TimeSpan.FromSeconds(io / 10), TimeSpan.Zero, null,
        (ulong)(seconds * 1000), (ulong)(seconds * 10), (ulong)seconds, 0, 1);

    private static HistoryEntry Full(string name = "lp_full", Operation operation = Operation.Apply, OperationResult result = OperationResult.Done) => new(
        Then, PatchName.Parse(name), Sha256.TryParse(Digest), operation, result,
        new ImpactReport(
            Delta(60, 0.5), Delta(2.16, 0.36), Delta(5, 0.05),
            operation is Operation.Revert ? [new PhaseImpact(ImpactPhase.Revert, TimeSpan.FromSeconds(75), Delta(75, 1), null)]
                : [
                    new PhaseImpact(ImpactPhase.Load, TimeSpan.FromSeconds(0.24), Delta(0.3, 0.2), TimeSpan.FromSeconds(0.2)),
                    new PhaseImpact(ImpactPhase.Transition, TimeSpan.FromSeconds(1.92), Delta(2, 0.16), TimeSpan.Zero),
                ],
            TimeSpan.FromSeconds(0.2),
            new ImpactSeries([0.01, 0.02, null], [0.7, 0.9, 0.45, 0.1, 0], [0.02, 0.01])));

    private static HistoryEntry Bare() => new(
        Then, PatchName.Parse("lp_full"), null, Operation.Apply, OperationResult.Failed,
        new ImpactReport(null, new PressureDelta(TimeSpan.FromSeconds(0.1), null, null, null, null, null, null, null, null, null, null), null, [], null, new ImpactSeries([], [null], [])));

    private static string Text(params HistoryEntry[] entries)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
            ImpactJson.WriteHistory(json, entries);
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private FakeDaemon Serve(params HistoryEntry[] entries)
    {
        var daemon = Serve(new FakePatch { Name = "lp_full" });
        daemon.HistoryText = Text(entries);
        return daemon;
    }

    [Fact]
    public void Show_ends_with_the_latest_operation()
    {
        Serve(Bare(), Full());
        var shown = Run("show", "lp_full").Succeeded();
        Assert.Matches(@"Last change: apply done: load 0\.24 s, transition 1\.92 s, longest stall 0\.2 s\n +Begun: 2026-03-01 13:00:01 \+01:00 \(.* ago\)\n\n", shown.Output);
        Assert.EndsWith(
            """
                                     BEFORE (1m)  DURING (2.16 s)  AFTER (5 s)
            io stall                 0.83 %       16.7 %           1 %
            io stall, all tasks      0.21 %       4.17 %           0.25 %
            cpu stall                0.08 %       1.67 %           0.1 %
            memory stall             0 %          0 %              0 %
            memory stall, all tasks  -            -                -
            TCP segments sent again  1 %          0.97 %           1 %
            softirq squeezes         1 /s         0.93 /s          1 /s
            kernel oopses            0            0                0
            kernel warnings          1            1                1
            io stall  __?|+#=._|__
                      before|during|after, highest 90 %

            """,
            shown.Output, StringComparison.Ordinal);
        Assert.All(shown.Lines, static line => Assert.InRange(line.Length, 1, 80));
        Assert.DoesNotContain(shown.Output, static c => c > '~' || (c < ' ' && c != '\n'));
    }

    [Fact]
    public void What_is_unknown_is_a_dash_and_draws_no_bars()
    {
        Serve(Bare());
        var shown = Run("show", "lp_full").Succeeded();
        Assert.Contains("Last change: apply failed\n", shown.Output, StringComparison.Ordinal);
        Assert.Matches("io stall +- +- +-\n", shown.Output);
        Assert.DoesNotContain("before|during|after", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_patch_without_operations_shows_none()
    {
        Serve(entries: []);
        Assert.DoesNotContain("Last change", Run("show", "lp_full").Succeeded().Output, StringComparison.Ordinal);
        var json = Run("show", "lp_full", "--json").Succeeded().Output;
        SchemaValidator.Validate("show.json", json);
        Assert.Equal(JsonValueKind.Null, JsonDocument.Parse(json).RootElement.GetProperty("impact").ValueKind);
    }

    [Fact]
    public async Task On_a_terminal_the_bars_are_blocks_unless_the_locale_cannot()
    {
        Serve(Full());
        using var blocks = OnTerminal([("NO_COLOR", "1"), ("LC_ALL", "C.UTF-8")], "show", "lp_full");
        Assert.Contains("io stall  ▁▁?|▆█▅▂▁|▁▁", (await blocks.End()).Succeeded().Output, StringComparison.Ordinal);
        using var plain = OnTerminal([("NO_COLOR", "1"), ("LC_ALL", "C")], "show", "lp_full");
        Assert.Contains("io stall  __?|+#=._|__", (await plain.End()).Succeeded().Output, StringComparison.Ordinal);
        using var narrow = OnTerminal([("NO_COLOR", "1"), ("LC_ALL", "C"), ("COLS", "40")], "show", "lp_full");
        Assert.DoesNotContain("BEFORE (1m)", (await narrow.End()).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void History_is_a_table_with_the_latest_last()
    {
        Serve(Bare(), Full(), Full(LongName, Operation.Revert, OperationResult.Reversed));
        var table = Run("history").Succeeded();
        Assert.Equal(4, table.Lines.Length);
        Assert.StartsWith("WHEN", table.Lines[0], StringComparison.Ordinal);
        Assert.Matches("ago +lp_full +apply failed +-", table.Lines[1]);
        Assert.Matches("revert reversed", table.Lines[3]);
        Assert.All(table.Lines, static line => Assert.InRange(line.Length, 1, 80));
        Assert.DoesNotContain(table.Output, static c => c > '~' || (c < ' ' && c != '\n'));
    }

    [Theory]
    [InlineData(EvidenceGrade.Suspect, "suspect: kernel-warning")]
    [InlineData(EvidenceGrade.Attributed, "attributed: kernel-warning")]
    [InlineData(null, "kernel-warning")]
    public void History_ARevertForCause_SaysWhyAndWithWhatGrade(EvidenceGrade? grade, string why)
    {
        Serve(Full(operation: Operation.Revert) with { Why = Reason.KernelWarning, Grade = grade }, Full());
        var table = Run("history").Succeeded();
        // Cut on a terminal of 80 columns; the grade comes first.
        Assert.EndsWith(why[..12], table.Lines[1][..(table.Lines[1].LastIndexOf(why[..10], StringComparison.Ordinal) + 12)], StringComparison.Ordinal);
        Assert.EndsWith("  -", table.Lines[2], StringComparison.Ordinal);
        Assert.Equal(grade?.Word(), JsonDocument.Parse(Run("history", "--json").Succeeded().Output).RootElement.GetProperty("entries")[0].GetProperty("grade").GetString());
    }

    [Fact]
    public void The_json_is_the_daemons_own_and_fits_the_schema()
    {
        var daemon = Serve(Full(), Bare(), Full("lp_two", Operation.Revert));
        var history = Run("history", "--json").Succeeded().Output;
        Assert.Equal(daemon.HistoryText + "\n", history);
        SchemaValidator.Validate("history.json", history);
        var show = Run("show", "lp_full", "--json").Succeeded().Output;
        SchemaValidator.Validate("show.json", show);
        Assert.Equal(75, JsonDocument.Parse(show).RootElement.GetProperty("impact").GetProperty("transition_seconds").GetDouble());
    }

    [Fact]
    public void A_name_without_history_is_told_from_no_name_at_all()
    {
        Serve(entries: []);
        Assert.Equal("no operations yet\n", Run("history").Succeeded().Output);
        Assert.Equal("no operations yet\n", Run("history", "lp-full").Succeeded().Output);
        Run("history", "lp_nobody").Failed(4, "history lp_nobody", "no such patch");
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"schema":2,"entries":[]}""")]
    public void A_document_of_another_shape_is_not_shown(string text)
    {
        Serve(entries: []).HistoryText = text;
        Run("history").Failed(1, "not of schema 1");
        Run("show", "lp_full").Succeeded();
    }

    [Theory]
    [InlineData(0, 0, "_")]
    [InlineData(0.5, 0.5, "#")]
    [InlineData(0.001, 1, "_")]
    [InlineData(1, 1, "#")]
    public void Bars_are_scaled_to_the_highest(double share, double highest, string bar) =>
        Assert.Equal(bar + "?", ImpactText.Sparkline([share, null], highest, unicode: false));
}
