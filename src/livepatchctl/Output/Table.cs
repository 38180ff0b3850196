// A plain text table that never exceeds its width: columns go first, then the widest cells are cut.
using System.Text;

namespace LivePatchd.Ctl.Output;

/// <param name="DropOrder">Columns above zero are left out when there is no room, the highest first.</param>
/// <param name="MinWidth">The column may be cut down to this width, after the others have gone.</param>
/// <param name="CutFirst">It is cut before any other goes.</param>
internal sealed record Column(string Title, int DropOrder = 0, int MinWidth = int.MaxValue, bool CutFirst = false);

internal readonly record struct Cell(string Text, Paint Paint = Paint.None);

internal sealed class Table(params Column[] columns)
{
    private const int Gap = 2;

    private readonly List<Cell[]> _rows = [];

    /// <summary>Cells are cleaned here.</summary>
    public void Add(params Cell[] cells) => _rows.Add(Array.ConvertAll(cells, static c => c with { Text = TextOf.Clean(c.Text) }));

    /// <returns>The title line and one line a row, without trailing blanks.</returns>
    public IEnumerable<string> Lines(int width, bool hasColour)
    {
        var shown = Enumerable.Range(0, columns.Length).ToList();
        while (Total(shown) > width && shown.MaxBy(i => columns[i].DropOrder) is var drop && columns[drop].DropOrder > 0)
            shown.Remove(drop);
        var widths = shown.ToDictionary(i => i, NaturalWidth);
        foreach (var i in Enumerable.Reverse(shown))
        {
            var excess = widths.Values.Sum() + (Gap * (shown.Count - 1)) - width;
            if (excess > 0)
                widths[i] = Math.Max(Math.Min(columns[i].MinWidth, widths[i]), widths[i] - excess);
        }
        yield return Line(shown, widths, i => new Cell(columns[i].Title, Paint.Strong), hasColour);
        foreach (var row in _rows)
            yield return Line(shown, widths, i => row[i], hasColour);
    }

    private static string Line(List<int> shown, Dictionary<int, int> widths, Func<int, Cell> cell, bool hasColour)
    {
        var line = new StringBuilder();
        var owed = 0;
        foreach (var i in shown)
        {
            var text = TextOf.Cut(cell(i).Text, widths[i]);
            if (text.Length > 0)
            {
                line.Append(' ', owed).Append(cell(i).Paint.On(text, hasColour));
                owed = 0;
            }
            owed += widths[i] - TextOf.Width(text) + Gap;
        }
        return line.ToString();
    }

    private int Total(List<int> shown) =>
        shown.Sum(i => columns[i].CutFirst ? Math.Min(columns[i].MinWidth, NaturalWidth(i)) : NaturalWidth(i)) + (Gap * (shown.Count - 1));

    private int NaturalWidth(int column) => _rows.Select(r => TextOf.Width(r[column].Text)).Append(columns[column].Title.Length).Max();
}
