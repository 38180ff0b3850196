// Spans of time as people write them in the configuration: 250ms, 30s, 5m, 6h, 7d, 1h30m.
using System.Globalization;
using System.Text;

namespace LivePatchd.Core.Config;

public static class DurationText
{
    private const int MaxDigits = 9;

    private static readonly (string Unit, TimeSpan Size)[] Units =
    [
        ("d", TimeSpan.FromDays(1)),
        ("h", TimeSpan.FromHours(1)),
        ("m", TimeSpan.FromMinutes(1)),
        ("s", TimeSpan.FromSeconds(1)),
        ("ms", TimeSpan.FromMilliseconds(1)),
    ];

    /// <summary>Null unless the text is one or more number-unit pairs, each unit smaller than the one before.</summary>
    public static TimeSpan? TryParse(string text)
    {
        var total = TimeSpan.Zero;
        var nextUnit = 0;
        var at = 0;
        while (at < text.Length)
        {
            var digits = CountWhile(text, at, char.IsAsciiDigit);
            var letters = CountWhile(text, at + digits, char.IsAsciiLetterLower);
            if (digits is 0 or > MaxDigits)
                return null;
            var unit = Array.FindIndex(Units, nextUnit, u => text.AsSpan(at + digits, letters).SequenceEqual(u.Unit));
            if (unit < 0)
                return null;
            // Nine digits of days are longer than a TimeSpan.
            var count = long.Parse(text.AsSpan(at, digits), CultureInfo.InvariantCulture);
            if (count > (TimeSpan.MaxValue - total).Ticks / Units[unit].Size.Ticks)
                return null;
            total += TimeSpan.FromTicks(count * Units[unit].Size.Ticks);
            nextUnit = unit + 1;
            at += digits + letters;
        }
        return text.Length == 0 ? null : total;
    }

    /// <summary>The shortest text that <see cref="TryParse"/> reads back as the same span, for spans of whole milliseconds.</summary>
    public static string Format(TimeSpan span)
    {
        var text = new StringBuilder();
        foreach (var (unit, size) in Units)
        {
            var count = span.Ticks / size.Ticks;
            if (count == 0)
                continue;
            text.Append(CultureInfo.InvariantCulture, $"{count}{unit}");
            span -= count * size;
        }
        return text.Length == 0 ? "0s" : text.ToString();
    }

    private static int CountWhile(string text, int from, Func<char, bool> test)
    {
        var at = from;
        while (at < text.Length && test(text[at]))
            at++;
        return at - from;
    }
}
