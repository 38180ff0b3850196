// Gates in words: figures in the unit that people know them by, the table of `gates` and the lines of `watch`.
using System.Globalization;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Output;

internal static class GateText
{
    private const int LeastDetail = 12;

    public static string Figure(GateFacts gate, double? value) => value switch
    {
        null => "-",
        { } load when gate.Unit == GateUnit.LoadPerCpu.Word() => load.ToString("0.00", CultureInfo.InvariantCulture),
        { } squeezes when gate.Unit == GateUnit.SqueezesPerSecond.Word() => squeezes.ToString("0.0", CultureInfo.InvariantCulture) + "/s",
        { } share => (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + "%",
    };

    public static string State(GateFacts gate) => (gate.Open ? "open" : "closed") + (gate.Available ? "" : ", no source");

    public static Table Tabulate(IEnumerable<GateFacts> gates, DateTimeOffset now)
    {
        var table = new Table(
            new Column("GATE"),
            new Column("STATE"),
            new Column("SINCE", DropOrder: 2),
            new Column("VALUE"),
            new Column("CLOSES", DropOrder: 1),
            new Column("OPENS", DropOrder: 3),
            new Column("DETAIL", MinWidth: LeastDetail, CutFirst: true));
        foreach (var gate in gates)
        {
            table.Add(
                new Cell(gate.Name),
                new Cell(State(gate), !gate.Open ? Paint.Bad : gate.Available ? Paint.Good : Paint.Moving),
                new Cell(gate.Since is { } since ? TimeText.ShortSpan(now - since) : "-"),
                new Cell(Figure(gate, gate.Value)),
                new Cell(Mark(">", gate, gate.CloseAt)),
                new Cell(Mark("<", gate, gate.OpenBelow)),
                new Cell(gate.Detail ?? "", Paint.Faint));
        }
        return table;
    }

    /// <summary>`io-pressure closed 12s (31.2%, opens below 10.0%)`.</summary>
    public static string Closed(GateFacts gate, DateTimeOffset now)
    {
        var age = gate.Since is { } since ? $" {TimeText.Span(now - since)}" : "";
        var figure = gate.Value is null ? gate.OpensAt is { } at ? $"opens {TimeText.Relative(at, now)}" : gate.Detail ?? ""
            : $"{Figure(gate, gate.Value)}, opens below {Figure(gate, gate.OpenBelow)}";
        return figure.Length == 0 ? $"{gate.Name} closed{age}" : $"{gate.Name} closed{age} ({figure})";
    }

    private static string Mark(string sign, GateFacts gate, double? mark) => mark is null ? "-" : sign + Figure(gate, mark);
}
