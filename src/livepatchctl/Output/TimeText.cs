// Moments and spans as people and programs read them.
using System.Globalization;

namespace LivePatchd.Ctl.Output;

internal static class TimeText
{
    /// <summary>RFC 3339 in UTC with microseconds, for programs.</summary>
    public static string Rfc3339(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>RFC 3339 in local time to the second, for a line that people and programs read.</summary>
    public static string LocalRfc3339(DateTimeOffset time, TimeProvider clock) =>
        TimeZoneInfo.ConvertTime(time, clock.LocalTimeZone).ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);

    /// <summary>Local time and how far away it is: `2026-03-01 12:00:01 +01:00 (3m 20s ago)`.</summary>
    public static string LocalAndRelative(DateTimeOffset time, TimeProvider clock)
    {
        var local = TimeZoneInfo.ConvertTime(time, clock.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
        return $"{local} ({Relative(time, clock.GetUtcNow())})";
    }

    public static string Relative(DateTimeOffset time, DateTimeOffset now) =>
        time > now ? $"in {Span(time - now)}" : $"{Span(now - time)} ago";

    /// <summary>The two largest units: `12s`, `3m 20s`, `4h 5m`, `2d 4h`.</summary>
    public static string Span(TimeSpan span) => Abs(span) switch
    {
        { TotalMinutes: < 1 } s => Number(s.Seconds, "s"),
        { TotalHours: < 1 } s => Pair(s.Minutes, "m", s.Seconds, "s"),
        { TotalDays: < 1 } s => Pair(s.Hours, "h", s.Minutes, "m"),
        var s => Pair(s.Days, "d", s.Hours, "h"),
    };

    /// <summary>The largest unit alone, for a table's column.</summary>
    public static string ShortSpan(TimeSpan span) => Span(span).Split(' ')[0];

    private static TimeSpan Abs(TimeSpan span) => span < TimeSpan.Zero ? -span : span;

    private static string Pair(int large, string largeUnit, int small, string smallUnit) =>
        small == 0 ? Number(large, largeUnit) : $"{Number(large, largeUnit)} {Number(small, smallUnit)}";

    private static string Number(int count, string unit) => count.ToString(CultureInfo.InvariantCulture) + unit;
}
