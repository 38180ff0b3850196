// Asks every gate and says whether a change may be made now, and when to ask again.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

/// <summary>
/// A gate that has never been asked counts as open from its first question on, so an idle machine waits for the settle time and no
/// longer. No change is made before every measured gate has compared two readings at least a second apart, whatever the settle time:
/// a busy machine is not patched in the daemon's first second.
/// </summary>
public static class Gatekeeper
{
    /// <summary>How often a gate is looked at again whose source is missing: sources hardly ever come back.</summary>
    public static readonly TimeSpan MissingRecheck = TimeSpan.FromMinutes(1);

    /// <summary>The wall clock may be set without a word, so a window is looked at again at least this often.</summary>
    public static readonly TimeSpan CalendarRecheck = TimeSpan.FromHours(1);

    private static readonly TimeSpan RecheckWithoutTriggers = TimeSpan.FromSeconds(2);

    private static readonly ImmutableArray<Gate> All = [.. Enum.GetValues<Gate>()];

    public static (GateMemory Memory, GateBoard Board) Ask(GateMemory previous, GateQuestion asked)
    {
        ArgumentNullException.ThrowIfNull(previous);
        ArgumentNullException.ThrowIfNull(asked);
        var states = ImmutableArray.CreateBuilder<GateState>(All.Length);
        var standings = previous.Standings.ToBuilder();
        var measured = true;
        foreach (var gate in All)
        {
            GateStanding? before = previous.Standings.TryGetValue(gate, out var standing) ? standing : null;
            var rangAt = asked.Fired.Any(t => t.Gate == gate) ? asked.Now : before?.RangAt;
            var verdict = Ask(gate, previous, asked, before?.Open ?? true, rangAt);
            measured &= !verdict.Unmeasured;
            var open = verdict.Missing ? !verdict.Strict && asked.Settings.Unavailable is WhenUnavailable.Apply : verdict.Open;
            var since = before is not { } known ? (open ? verdict.OpenSince : null) ?? asked.Now
                : known.Open == open ? known.Since
                : asked.Now;
            standings[gate] = new GateStanding(open, since, rangAt);
            states.Add(new GateState(
                gate, open, since, !verdict.Missing && !verdict.NotThere, verdict.Value, verdict.CloseAt, verdict.OpenBelow, verdict.Unit,
                open ? null : verdict.OpensAt, verdict.Detail));
        }
        return (previous.With(asked.Sample, standings.ToImmutable()), Board(states.MoveToImmutable(), measured, previous, asked));
    }

    private static Verdict Ask(Gate gate, GateMemory memory, GateQuestion asked, bool wasOpen, Instant? rangAt) => gate switch
    {
        Gate.Inhibitor => PlainGates.Inhibitors(asked),
        Gate.Hold => PlainGates.Holds(asked),
        Gate.Uptime => PlainGates.Uptime(asked),
        Gate.Window => WindowGate.Ask(asked),
        Gate.Load => LoadGate.Ask(asked, wasOpen),
        Gate.IoPressure => StallGate.Io.Ask(memory, asked, asked.Settings.Io, wasOpen, rangAt),
        Gate.CpuPressure => StallGate.Cpu.Ask(memory, asked, asked.Settings.Cpu, wasOpen, rangAt),
        Gate.MemoryPressure => StallGate.Memory.Ask(memory, asked, asked.Settings.Memory, wasOpen, rangAt),
        Gate.Network => NetworkGate.Ask(memory, asked, wasOpen),
        _ => throw new ArgumentOutOfRangeException(nameof(gate)),
    };

    private static GateBoard Board(ImmutableArray<GateState> gates, bool measured, GateMemory previous, GateQuestion asked)
    {
        var closed = gates.Where(g => !g.Open).ToList();
        if (closed.Count > 0)
            return new(gates, GateReasons.Of(closed[0]), RetryAt(closed, asked), string.Join("; ", closed.Select(Describe)));

        var settled = gates.MaxBy(g => g.Since.Monotonic)!.Since.After(asked.Settings.Settle);
        if (!measured)
        {
            var first = previous.History.IsEmpty ? asked.Now : previous.History[0].At;
            settled = Latest(settled, first.After(GateMemory.Shortest));
            // There was a reading, but not of every source: this one is the first of some.
            if (!asked.Now.IsBefore(settled))
                settled = asked.Now.After(GateMemory.Shortest);
        }
        return asked.Now.IsBefore(settled)
            ? new(gates, Reason.GatesSettling, settled, $"all gates must have been open for {DurationText.Format(asked.Settings.Settle)}")
            : new(gates, null, null, "");
    }

    /// <summary>The answer changes when the last of them opens; null when that takes an event.</summary>
    private static Instant? RetryAt(List<GateState> closed, GateQuestion asked)
    {
        Instant? latest = null;
        foreach (var gate in closed)
        {
            if (Recheck(gate, asked) is not { } at)
                return null;
            latest = latest is { } other ? Latest(other, at) : at;
        }
        return latest;
    }

    private static Instant? Recheck(GateState gate, GateQuestion asked)
    {
        if (!gate.Available)
            return asked.Now.After(MissingRecheck);
        var settle = asked.Settings.Settle;
        return gate.Gate switch
        {
            Gate.Window when gate.OpensAt is { } opens && opens.Since(asked.Now) < CalendarRecheck => opens,
            Gate.Window => asked.Now.After(CalendarRecheck),
            Gate.Inhibitor or Gate.Hold or Gate.Uptime => gate.OpensAt,
            Gate.IoPressure or Gate.CpuPressure or Gate.MemoryPressure when !asked.TriggersArmed => asked.Now.After(RecheckWithoutTriggers),
            _ => asked.Now.After(settle > GateMemory.Shortest ? settle : GateMemory.Shortest),
        };
    }

    private static string Describe(GateState gate) => $"{GateReasons.Of(gate).Word()}: {gate.Detail}";

    private static Instant Latest(Instant a, Instant b) => a.IsBefore(b) ? b : a;
}
