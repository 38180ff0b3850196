// Maintenance windows: days, midnight, both changes of the clock, several windows, a patch's own.
using System.Collections.Immutable;
using System.Globalization;
using CsCheck;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Gates;

namespace LivePatchd.Core.Tests.Policy.Gates;

public sealed class WindowTests
{
    private const WeekDays Weekend = WeekDays.Saturday | WeekDays.Sunday;

    /// <summary>Days, start, hours, zone; the moment; open, and the moment it closes or opens.</summary>
    [Theory]
    [InlineData(Weekend, "01:00", 4, "Europe/Berlin", "2026-01-03T00:00:00Z", true, "2026-01-03T04:00:00Z")]
    [InlineData(Weekend, "01:00", 4, "Europe/Berlin", "2026-01-03T03:59:59Z", true, "2026-01-03T04:00:00Z")]
    [InlineData(Weekend, "01:00", 4, "Europe/Berlin", "2026-01-03T04:00:00Z", false, "2026-01-04T00:00:00Z")]
    [InlineData(Weekend, "01:00", 4, "Europe/Berlin", "2026-01-04T05:00:00Z", false, "2026-01-10T00:00:00Z")]
    [InlineData(Weekend, "01:00", 4, "Europe/Berlin", "2026-07-03T23:00:00Z", true, "2026-07-04T03:00:00Z")]
    // Across midnight: it belongs to the day on which it begins.
    [InlineData(WeekDays.Friday, "22:00", 6, "UTC", "2026-01-03T03:00:00Z", true, "2026-01-03T04:00:00Z")]
    [InlineData(WeekDays.Friday, "22:00", 6, "UTC", "2026-01-02T03:00:00Z", false, "2026-01-02T22:00:00Z")]
    // Seven days long: always open, the newer one counts.
    [InlineData(WeekDays.Monday, "00:00", 168, "UTC", "2026-01-11T23:59:59Z", true, "2026-01-12T00:00:00Z")]
    [InlineData(WeekDays.Monday, "00:00", 168, "UTC", "2026-01-12T00:00:00Z", true, "2026-01-19T00:00:00Z")]
    // Spring: 02:00 to 03:00 is skipped on 2026-03-29 in Berlin, so 02:30 comes at 03:00 summer time.
    [InlineData(WeekDays.All, "02:30", 1, "Europe/Berlin", "2026-03-29T00:59:59Z", false, "2026-03-29T01:00:00Z")]
    [InlineData(WeekDays.All, "02:30", 1, "Europe/Berlin", "2026-03-29T01:00:00Z", true, "2026-03-29T02:00:00Z")]
    [InlineData(WeekDays.All, "02:30", 1, "Europe/Berlin", "2026-03-29T02:00:00Z", false, "2026-03-30T00:30:00Z")]
    // Its length is elapsed time: 01:00 and four hours end at 06:00 that day.
    [InlineData(WeekDays.All, "01:00", 4, "Europe/Berlin", "2026-03-29T03:30:00Z", true, "2026-03-29T04:00:00Z")]
    // Autumn: 02:30 comes twice on 2026-10-25; the first time counts.
    [InlineData(WeekDays.All, "02:30", 1, "Europe/Berlin", "2026-10-25T00:30:00Z", true, "2026-10-25T01:30:00Z")]
    [InlineData(WeekDays.All, "02:30", 1, "Europe/Berlin", "2026-10-25T01:30:00Z", false, "2026-10-26T01:30:00Z")]
    // Half an hour of summer time, and a zone far from UTC whose day is another.
    [InlineData(WeekDays.Sunday, "00:00", 2, "Australia/Lord_Howe", "2026-01-10T13:00:00Z", true, "2026-01-10T15:00:00Z")]
    [InlineData(WeekDays.Monday, "00:00", 1, "Pacific/Kiritimati", "2026-01-04T10:30:00Z", true, "2026-01-04T11:00:00Z")]
    public void A_window_is_where_its_calendar_says(WeekDays days, string start, int hours, string zone, string at, bool open, string change)
    {
        var now = DateTimeOffset.Parse(at, CultureInfo.InvariantCulture);
        var window = new MaintenanceWindow(days, TimeOnly.ParseExact(start, "HH:mm", CultureInfo.InvariantCulture), TimeSpan.FromHours(hours), zone);
        var span = WindowCalendar.Find(window, TimeZoneInfo.FindSystemTimeZoneById(zone), now)!.Value;
        Assert.Equal(open, span.Begin <= now);
        Assert.Equal(DateTimeOffset.Parse(change, CultureInfo.InvariantCulture), open ? span.End : span.Begin);
    }

    [Fact]
    public void Every_span_is_open_inside_and_shut_before_it_begins() => Gen.Select(
        Gen.Int[1, 127], Gen.Int[0, 1439], Gen.Int[1, 7 * 1440], Gen.Int[0, 3], Gen.Int[0, 525_600]).Sample(
        (days, start, minutes, place, at) =>
        {
            var zone = new[] { "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe" }[place];
            var window = new MaintenanceWindow((WeekDays)days, TimeOnly.MinValue.AddMinutes(start), TimeSpan.FromMinutes(minutes), zone);
            var tz = TimeZoneInfo.FindSystemTimeZoneById(zone);
            var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(at);
            var span = WindowCalendar.Find(window, tz, now)!.Value;
            if (now >= span.End || span.End - span.Begin != window.Length)
                return false;
            if (span.Begin <= now)
                return true;
            var before = WindowCalendar.Find(window, tz, span.Begin.AddSeconds(-1))!.Value;
            return before == span && WindowCalendar.Find(window, tz, span.Begin)!.Value == span;
        });

    [Fact]
    public void One_open_window_is_enough_and_the_first_to_open_is_named()
    {
        MaintenanceWindow early = new(WeekDays.All, new TimeOnly(13, 0), TimeSpan.FromHours(2), "UTC");
        MaintenanceWindow late = new(WeekDays.All, new TimeOnly(14, 0), TimeSpan.FromHours(2), "UTC");
        var closed = Window([late, early], []);
        Assert.Equal((false, 13), (closed.Open, closed.OpensAt!.Value.Wall.Hour));
        var open = Window([late, early with { Start = new TimeOnly(11, 0) }], []);
        Assert.Equal((true, null, 11), (open.Open, open.OpensAt, open.Since.Wall.Hour));
    }

    [Fact]
    public void A_patch_waits_for_its_own_window_too()
    {
        MaintenanceWindow open = new(WeekDays.All, new TimeOnly(11, 0), TimeSpan.FromHours(2), "UTC");
        MaintenanceWindow one = open with { Start = new TimeOnly(13, 0) };
        MaintenanceWindow two = open with { Start = new TimeOnly(14, 0) };
        Assert.True(Window([open], [open]).Open);
        Assert.Equal((false, 13), (Window([open], [one]).Open, Window([open], [one]).OpensAt!.Value.Wall.Hour));
        Assert.Equal(14, Window([one], [two]).OpensAt!.Value.Wall.Hour);
        Assert.Equal(14, Window([two], [one]).OpensAt!.Value.Wall.Hour);
        Assert.False(Window([], [one]).Open);
    }

    [Fact]
    public void A_zone_that_the_host_does_not_know_makes_the_gate_unavailable_unless_another_window_is_open()
    {
        MaintenanceWindow open = new(WeekDays.All, new TimeOnly(11, 0), TimeSpan.FromHours(2), "UTC");
        var lost = open with { TimeZone = "Middle/Earth" };
        Assert.Equal((false, false), (Window([lost], []).Open, Window([lost], []).Available));
        Assert.Contains("Middle/Earth", Window([lost], []).Detail, StringComparison.Ordinal);
        Assert.True(Window([lost, open], []).Available);
        Assert.False(Window([open], [lost]).Available);
    }

    [Theory]
    [InlineData(WhenUnavailable.Apply)]
    [InlineData(WhenUnavailable.Hold)]
    public void AWindow_ThatCannotBeJudged_IsClosed(WhenUnavailable policy)
    {
        MaintenanceWindow lost = new(WeekDays.All, new TimeOnly(11, 0), TimeSpan.FromHours(2), "Europe/Berln");
        var machine = new Machine { Settings = GateSettings.Default with { Windows = [lost], Unavailable = policy } };
        var board = machine.Ask();
        Assert.Equal((false, false, Reason.GateUnavailable), (board.Of(Gate.Window).Open, board.Of(Gate.Window).Available, board.Reason));
    }

    /// <summary>At noon.</summary>
    private static GateState Window(ImmutableArray<MaintenanceWindow> host, ImmutableArray<MaintenanceWindow> patch) =>
        new Machine { Settings = GateSettings.Default with { Windows = host, PatchWindows = patch } }.Ask().Of(Gate.Window);
}
