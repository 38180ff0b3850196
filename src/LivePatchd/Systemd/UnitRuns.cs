// Starts services through systemd, all at once, and learns how each one ended.
using System.Collections.Immutable;
using LivePatchd.Bus;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Systemd;

/// <param name="Passed">Null: it could not be started, which says nothing about the host.</param>
/// <param name="Detail">One line; empty when it passed.</param>
internal sealed record UnitRun(string Unit, bool? Passed, string Detail);

internal static class UnitRuns
{
    private const string Own = "livepatchd.service";

    /// <summary>A wait is cut into pieces, so that the time limit is the given clock's, and a lost signal costs no more than one.</summary>
    private static readonly TimeSpan Piece = TimeSpan.FromSeconds(5);

    /// <param name="limit">Of all together; what has not ended by then is stopped, and has failed.</param>
    /// <param name="cancel">Ends the wait: what runs goes on, and is not judged.</param>
    public static ImmutableArray<UnitRun> Run(SystemdClient systemd, IEnumerable<string> units, TimeSpan limit, BusWake cancel, TimeProvider clock)
    {
        // Before the first is started: starting them is part of the time they have.
        var began = clock.GetTimestamp();
        // That some job has ended says when to look. Which, and how, is read from the units themselves.
        var subscribed = systemd.Subscribe("JobRemoved", static (_, _, _) => { });
        var runs = new List<UnitRun>();
        var pending = new List<UnitStart>();
        foreach (var unit in units)
        {
            if (unit == Own)
            {
                runs.Add(new(unit, null, "livepatchd cannot be its own health check"));
                continue;
            }
            var start = subscribed.IsOk ? UnitStart.Begin(systemd, unit) : subscribed.Error;
            if (start.IsOk)
                pending.Add(start.Value);
            else
                runs.Add(new(unit, null, $"cannot be started: {Printable.Line(start.Error.Message)}"));
        }
        var lost = false;
        while (true)
        {
            runs.AddRange(pending.Where(static s => s.HasEnded()).Select(static s => s.Judge()));
            pending.RemoveAll(s => runs.Exists(r => r.Unit == s.Unit));
            if (lost || pending.Count == 0 || limit - clock.GetElapsedTime(began) is not { Ticks: > 0 } left)
                break;
            lost = systemd.Bus.WaitForSignals(left < Piece ? left : Piece, cancel) is not { IsOk: true, Value: BusWait.SignalDelivered or BusWait.TimedOut };
        }
        runs.AddRange(pending.Select(s => lost ? new UnitRun(s.Unit, null, "systemd could not be waited for") : s.Stop(limit)));
        return [.. runs];
    }
}
