// Writes the table of series in the two text formats that scrapers ask for: Prometheus 0.0.4 and OpenMetrics 1.0.0.
using System.Globalization;
using System.Text;

namespace LivePatchd.Metrics;

internal static class Exposition
{
    public const string PrometheusType = "text/plain; version=0.0.4; charset=utf-8";
    public const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// <summary>Prometheus asks for OpenMetrics first; whoever does not name it gets the older format.</summary>
    public static bool WantsOpenMetrics(string? accept)
    {
        foreach (var range in (accept ?? "").Split(','))
        {
            var parts = range.Split(';', StringSplitOptions.TrimEntries);
            if (!parts[0].Trim().Equals("application/openmetrics-text", StringComparison.OrdinalIgnoreCase))
                continue;
            var refused = parts.Any(static p => p.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
                && double.TryParse(p.AsSpan(2), NumberStyles.Float, CultureInfo.InvariantCulture, out var weight) && weight <= 0);
            if (!refused)
                return true;
        }
        return false;
    }

    public static byte[] Write(Reading reading, bool openMetrics)
    {
        var text = new StringBuilder(16 << 10);
        foreach (var (family, points) in SeriesTable.Collect(reading))
        {
            var name = openMetrics ? family.OpenMetricsName : family.Name;
            text.Append("# HELP ").Append(name).Append(' ').Append(family.Help).Append('\n');
            text.Append("# TYPE ").Append(name).Append(' ').Append(Word(family.Kind, openMetrics)).Append('\n');
            if (openMetrics && family.Unit is { } unit)
                text.Append("# UNIT ").Append(name).Append(' ').Append(unit).Append('\n');
            foreach (var point in points)
                Write(text, family, point, openMetrics);
        }
        if (openMetrics)
            text.Append("# EOF\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(StringBuilder text, Family family, Point point, bool openMetrics)
    {
        if (point.Durations is not { } durations)
        {
            Sample(text, family.Name, family, point, null, point.Value);
            text.Append('\n');
            return;
        }
        if (family.Kind is FamilyKind.Histogram)
        {
            foreach (var (bound, count, example) in durations.Buckets)
            {
                Sample(text, family.Name + "_bucket", family, point, openMetrics && double.IsFinite(bound) ? Float(bound) : Number(bound), count);
                if (openMetrics && example is not null)
                    Write(text, example);
                text.Append('\n');
            }
        }
        Sample(text, family.Name + "_sum", family, point, null, durations.Sum);
        text.Append('\n');
        Sample(text, family.Name + "_count", family, point, null, durations.Count);
        text.Append('\n');
    }

    private static void Sample(StringBuilder text, string name, Family family, Point point, string? bound, double value)
    {
        text.Append(name);
        var separator = '{';
        for (var i = 0; i < family.Labels.Length; i++)
        {
            if (point.Labels[i].Length > 0)
                Label(family.Labels[i], point.Labels[i]);
        }
        if (bound is not null)
            Label("le", bound);
        if (separator == ',')
            text.Append('}');
        text.Append(' ').Append(Number(value));

        void Label(string label, string content)
        {
            text.Append(separator).Append(label).Append("=\"");
            foreach (var c in content)
                _ = c switch { '\\' => text.Append(@"\\"), '"' => text.Append("\\\""), '\n' => text.Append(@"\n"), _ => text.Append(c) };
            text.Append('"');
            separator = ',';
        }
    }

    private static void Write(StringBuilder text, Exemplar example)
    {
        text.Append(" # {");
        if (example.Job is { } job)
            text.Append(CultureInfo.InvariantCulture, $"job=\"{job}\",");
        text.Append("sha256=\"").Append(example.Sha256).Append("\"} ").Append(Number(example.Value))
            .Append(' ').Append(Number(Point.Of(example.At).Value));
    }

    private static string Word(FamilyKind kind, bool openMetrics) => kind switch
    {
        FamilyKind.Counter => "counter",
        FamilyKind.Histogram => "histogram",
        FamilyKind.Summary => "summary",
        FamilyKind.Info when openMetrics => "info",
        _ => "gauge",
    };

    /// <summary>OpenMetrics writes the bounds of buckets as floating point numbers, so that both formats are read as one series.</summary>
    private static string Float(double value) => Number(value) is var text && text.Contains('.', StringComparison.Ordinal) ? text : text + ".0";

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);
}
