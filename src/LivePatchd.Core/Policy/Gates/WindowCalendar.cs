// When a maintenance window is open, by the calendar of its time zone.
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Policy.Gates;

/// <summary>From a moment up to, not including, another.</summary>
internal readonly record struct OpenSpan(DateTimeOffset Begin, DateTimeOffset End);

/// <summary>
/// A window begins on its days when the clock of its zone shows its start: when that hour is skipped in spring, at the moment the clock
/// jumps over it; when the hour comes twice in autumn, the first time. It lasts its length in elapsed time, whatever the clock does.
/// </summary>
internal static class WindowCalendar
{
    // The longest window is 7 days; one day more on each side for zones that change their offset by as much.
    private const int DaysAround = 8;

    // One zone skipped a whole day once.
    private const int LongestGapMinutes = 24 * 60;

    /// <summary>The span that is open at the moment (the one that ends last), or else the next one to open; null when there is none.</summary>
    public static OpenSpan? Find(MaintenanceWindow window, TimeZoneInfo zone, DateTimeOffset now)
    {
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
        OpenSpan? open = null;
        for (var day = -DaysAround; day <= DaysAround; day++)
        {
            var date = today.AddDays(day);
            if ((window.Days & FlagOf(date.DayOfWeek)) == 0)
                continue;
            var begin = BeginOf(date.ToDateTime(window.Start), zone);
            var span = new OpenSpan(begin, begin + window.Length);
            if (begin > now)
                return open ?? span;
            if (now < span.End)
                open = span;
        }
        return open;
    }

    private static DateTimeOffset BeginOf(DateTime local, TimeZoneInfo zone)
    {
        for (var minute = 0; minute < LongestGapMinutes && zone.IsInvalidTime(local); minute++)
            local = local.AddMinutes(1);
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset);
    }

    private static WeekDays FlagOf(DayOfWeek day) => (WeekDays)(1 << (((int)day + 6) % 7));
}
