// The gate of the maintenance windows: the host's, and those that a patch brings along.
using System.Collections.Immutable;
using System.Globalization;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

internal static class WindowGate
{
    public static Verdict Ask(GateQuestion asked)
    {
        if (asked.Settings is { Windows.IsEmpty: true, PatchWindows.IsEmpty: true })
            return new(true, "no windows");
        var host = Ask(asked.Settings.Windows, asked);
        var patch = Ask(asked.Settings.PatchWindows, asked);
        return host.Open && patch.Open ? Later(host, patch, v => v.OpenSince)
            : host.Missing ? host
            : patch.Missing ? patch
            : host.Open ? patch
            : patch.Open ? host
            : Later(host, patch, v => v.OpensAt);
    }

    private static Verdict Ask(ImmutableArray<MaintenanceWindow> windows, GateQuestion asked)
    {
        if (windows.IsEmpty)
            return new(true, "");
        var now = asked.Now.Wall;
        string? unknown = null;
        OpenSpan? best = null;
        foreach (var window in windows)
        {
            if (asked.Zones(window.TimeZone) is not { } zone)
                unknown = window.TimeZone;
            else if (WindowCalendar.Find(window, zone, now) is { } span && (best is not { } other || Better(span, other, now)))
                best = span;
        }
        if (best is { } open && open.Begin <= now)
            return new(true, $"open until {Text(open.End)}") { OpenSince = At(open.Begin, asked.Now) };
        // Another window may be open in a zone whose time is not known here.
        if (unknown is not null)
            return Verdict.NoSource($"time zone {unknown}") with { Strict = true };
        return best is { } next
            ? new(false, $"opens at {Text(next.Begin)}", At(next.Begin, asked.Now))
            : new(false, "no window ever opens");
    }

    // The open span that ends last; of spans yet to come the first.
    private static bool Better(OpenSpan span, OpenSpan other, DateTimeOffset now) =>
        (span.Begin <= now, other.Begin <= now) switch
        {
            (true, true) => span.End > other.End,
            (true, false) => true,
            (false, true) => false,
            _ => span.Begin < other.Begin,
        };

    private static Verdict Later(Verdict host, Verdict patch, Func<Verdict, Instant?> when) =>
        when(host) is { } a && (when(patch) is not { } b || b.IsBefore(a)) ? host : patch;

    private static Instant At(DateTimeOffset moment, Instant now) => now.After(moment - now.Wall);

    private static string Text(DateTimeOffset moment) => moment.ToString("yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture);
}
