// The gates that need no measuring: inhibitors, operators' holds, the time since boot.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

internal static class PlainGates
{
    public static Verdict Inhibitors(GateQuestion asked) => asked.Inhibitors.IsEmpty
        ? new(true, "no inhibitor")
        : new(false, string.Join("; ", asked.Inhibitors.Select(i => $"{i.Who}: {i.Why}")));

    public static Verdict Holds(GateQuestion asked)
    {
        var holds = asked.Holds.Where(h => h.Until is not { } until || asked.Now.IsBefore(until)).ToList();
        if (holds.Count == 0)
            return new(true, "no hold");
        Instant? opens = holds.Any(h => h.Until is null) ? null : holds.MaxBy(h => h.Until!.Value.Monotonic)!.Until;
        return new(false, string.Join("; ", holds.Select(h => h.Why)), opens);
    }

    public static Verdict Uptime(GateQuestion asked)
    {
        var wanted = asked.Settings.MinUptime;
        var opens = asked.Now.After(wanted - asked.Now.Monotonic);
        return asked.Now.Monotonic >= wanted
            ? new(true, $"minimum {DurationText.Format(wanted)}") { OpenSince = opens }
            : new(false, $"up for {Hysteresis.Seconds(asked.Now.Monotonic)}, minimum {DurationText.Format(wanted)}", opens);
    }
}
