// What the daemon counts in a test, read as a scraper reads it.
using System.Globalization;
using System.Text;
using LivePatchd.Metrics;

namespace LivePatchd.Tests;

internal sealed class MeterTap(TimeProvider time)
{
    public DaemonMeter Instruments { get; } = new("1", time);

    public string Text(bool openMetrics = false) => Encoding.UTF8.GetString(Exposition.Write(Instruments.Read(), openMetrics));

    /// <summary>Lines of series, without the comments.</summary>
    public string[] Series => [.. Text().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static l => l[0] != '#')];

    /// <param name="labels">`operation=apply,result=done`, all of them and in their order.</param>
    /// <returns>Null when there is no such series.</returns>
    public double? Value(string name, string labels = "")
    {
        var quoted = labels.Length == 0 ? "" : $"{{{string.Join(',', labels.Split(',').Select(static l => $"{l.Split('=')[0]}=\"{l.Split('=')[1]}\""))}}}";
        var start = $"{name}{quoted} ";
        var line = Series.SingleOrDefault(l => l.StartsWith(start, StringComparison.Ordinal));
        return line is null ? null : double.Parse(line.AsSpan(start.Length), CultureInfo.InvariantCulture);
    }

    /// <summary>Series of that family.</summary>
    public int Count(string name) => Series.Count(l => l.StartsWith(name + "{", StringComparison.Ordinal) || l.StartsWith(name + " ", StringComparison.Ordinal));
}
