// A list of `label: value` lines with the values in one column, wrapped to the width.
namespace LivePatchd.Ctl.Output;

internal sealed class Facts(Terminal terminal, int labelWidth)
{
    /// <summary>Nothing is printed for a value that is not known.</summary>
    public void Add(string label, string? value, Paint paint = Paint.None)
    {
        if (string.IsNullOrEmpty(value))
            return;
        var prefix = label.Length == 0 ? "" : $"{label}:";
        foreach (var line in TextOf.Wrap(TextOf.Clean(value), terminal.Columns - labelWidth - 2))
        {
            terminal.Out.WriteLine($"{prefix.PadLeft(labelWidth + 1)} {paint.On(line, terminal.HasColour)}");
            prefix = "";
        }
    }

    /// <summary>Several values under one label, one a line, cut off at a limit.</summary>
    public void AddList(string label, IReadOnlyList<string> values, int limit, string more)
    {
        for (var i = 0; i < Math.Min(values.Count, limit); i++)
            Add(i == 0 ? label : "", values[i]);
        if (values.Count > limit)
            Add("", $"... and {values.Count - limit} more{more}");
    }
}
