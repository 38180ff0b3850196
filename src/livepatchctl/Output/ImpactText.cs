// What an operation did to the machine, as a small table of before, during and after, and a line of bars.
using System.Globalization;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;

namespace LivePatchd.Ctl.Output;

internal static class ImpactText
{
    private const string Unknown = "-";
    private const string Blocks = "▁▂▃▄▅▆▇█";
    private const string Ascii = "_.:-=+*#";

    private sealed record Row(string Label, Func<PressureDelta, string?> Value);

    // Shares of the time and rates, so that a minute and half a second can be compared; what is rare is counted.
    private static readonly Row[] Rows =
    [
        new("io stall", static d => Percent(d.Ratio(d.IoStall))),
        new("io stall, all tasks", static d => Percent(d.Ratio(d.IoFullStall))),
        new("cpu stall", static d => Percent(d.Ratio(d.CpuStall))),
        new("memory stall", static d => Percent(d.Ratio(d.MemoryStall))),
        new("memory stall, all tasks", static d => Percent(d.Ratio(d.MemoryFullStall))),
        new("TCP segments sent again", static d => Percent(d.RetransmitRatio)),
        new("softirq squeezes", static d => d.PerSecond(d.SoftirqSqueezes) is { } rate ? $"{Number(rate)} /s" : null),
        new("kernel oopses", static d => d.Oopses?.ToString(CultureInfo.InvariantCulture)),
        new("kernel warnings", static d => d.Warnings?.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>`apply done: load 0.24 s, transition 1.92 s, longest stall 0.3 s`.</summary>
    public static string Summary(HistoryEntry entry)
    {
        var parts = new List<string>();
        if (entry.Load is { } load)
            parts.Add($"load {Span(load)}");
        if (entry.Transition is { } transition)
            parts.Add($"transition {Span(transition)}");
        if (entry.Impact.LongestStall is { } stall)
            parts.Add($"longest stall {Span(stall)}");
        var what = $"{ImpactJson.Word(entry.Operation)} {ImpactJson.Word(entry.Result)}{(entry.Why is { } why ? $" ({why.Word()})" : "")}";
        return parts.Count == 0 ? what : $"{what}: {string.Join(", ", parts)}";
    }

    public static IEnumerable<string> Lines(HistoryEntry entry, Terminal terminal)
    {
        var impact = entry.Impact;
        var table = new Table(
            new Column(""),
            new Column(Title("BEFORE", impact.Before), DropOrder: 2),
            new Column(Title("DURING", impact.During)),
            new Column(Title("AFTER", impact.After), DropOrder: 1));
        foreach (var row in Rows)
            table.Add(new Cell(row.Label), Of(row, impact.Before), Of(row, impact.During), Of(row, impact.After));
        foreach (var line in table.Lines(terminal.Columns, terminal.HasColour))
            yield return line;
        var known = impact.Series.Before.Concat(impact.Series.During).Concat(impact.Series.After).OfType<double>().ToList();
        var bars = $"{Bars(impact.Series.Before)}|{Bars(impact.Series.During)}|{Bars(impact.Series.After)}";
        const string Lead = "io stall  ";
        if (known.Count == 0 || Lead.Length + bars.Length > terminal.Columns)
            yield break;
        yield return $"{Lead}{bars}";
        yield return $"{new string(' ', Lead.Length)}before|during|after, highest {Percent(known.Max())}";

        string Bars(IReadOnlyList<double?> points) => Sparkline(points, known.Count == 0 ? 0 : known.Max(), terminal.HasUnicode);
    }

    /// <summary>Scaled to the highest point; a point that is unknown is a question mark.</summary>
    public static string Sparkline(IEnumerable<double?> points, double highest, bool unicode)
    {
        var levels = unicode ? Blocks : Ascii;
        var bars = new StringBuilder();
        foreach (var point in points)
            bars.Append(point is not { } share ? '?' : highest <= 0 ? levels[0] : levels[(int)Math.Round(share / highest * (levels.Length - 1))]);
        return bars.ToString();
    }

    public static string Span(TimeSpan span) => span.TotalSeconds < 60 ? $"{Number(span.TotalSeconds)} s" : TimeText.Span(span);

    private static string Title(string title, PressureDelta? delta) => delta is null ? title : $"{title} ({Span(delta.Duration)})";

    private static Cell Of(Row row, PressureDelta? delta) => new(delta is null ? Unknown : row.Value(delta) ?? Unknown);

    private static string? Percent(double? share) => share is { } s ? $"{Number(s * 100)} %" : null;

    private static string Number(double value) => value.ToString(value < 10 ? "0.##" : "0.#", CultureInfo.InvariantCulture);
}
