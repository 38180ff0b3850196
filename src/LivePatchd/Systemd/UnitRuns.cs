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
    private const string UnitInterface = "org.freedesktop.systemd1.Unit";
    private const string ServiceInterface = "org.freedesktop.systemd1.Service";
    private const string Own = "livepatchd.service";

    /// <summary>A wait is cut into pieces, so that the time limit is the given clock's.</summary>
    private static readonly TimeSpan Piece = TimeSpan.FromSeconds(5);

    /// <param name="limit">Of all together; what has not ended by then is stopped, and has failed.</param>
    /// <param name="cancel">Ends the wait: what runs goes on, and is not judged.</param>
    public static ImmutableArray<UnitRun> Run(SystemdClient systemd, IEnumerable<string> units, TimeSpan limit, BusWake cancel, TimeProvider clock)
    {
        // Before the first is started: starting them is part of the time they have.
        var began = clock.GetTimestamp();
        var ended = new Dictionary<string, string>(StringComparer.Ordinal);
        var subscribed = systemd.Subscribe("JobRemoved", (reader, _, _) =>
        {
            _ = reader.ReadUInt32();
            var job = reader.ReadObjectPath();
            _ = reader.ReadString();
            ended[job] = reader.ReadString();
        });
        var runs = new List<UnitRun>();
        var jobs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var unit in units)
        {
            if (unit == Own)
            {
                runs.Add(new(unit, null, "livepatchd cannot be its own health check"));
                continue;
            }
            var job = subscribed.IsOk ? Start(systemd, unit) : subscribed.Error;
            if (job.IsOk)
                jobs[job.Value] = unit;
            else
                runs.Add(new(unit, null, $"cannot be started: {Line(job.Error.Message)}"));
        }
        var lost = false;
        while (!lost && jobs.Keys.Any(j => !ended.ContainsKey(j)) && limit - clock.GetElapsedTime(began) is var left && left > TimeSpan.Zero)
            lost = systemd.Bus.WaitForSignals(left < Piece ? left : Piece, cancel) is not { IsOk: true, Value: BusWait.SignalDelivered or BusWait.TimedOut };
        runs.AddRange(jobs.Select(j => ended.TryGetValue(j.Key, out var result) ? Judge(systemd, j.Value, result)
            : lost ? new UnitRun(j.Value, null, "systemd could not be waited for")
            : Stop(systemd, j.Value, limit)));
        return [.. runs];
    }

    private static BusResult<string> Start(SystemdClient systemd, string unit) => systemd.Call(
        "StartUnit",
        w =>
        {
            w.WriteString(unit);
            w.WriteString("replace");
        },
        "o",
        static r => r.ReadObjectPath());

    /// <param name="job">done, skipped (the unit's conditions), failed, timeout, dependency or canceled.</param>
    private static UnitRun Judge(SystemdClient systemd, string unit, string job)
    {
        if (job is "canceled")
            return new(unit, null, "its start was cancelled");
        var path = systemd.Call("LoadUnit", w => w.WriteString(unit), "o", static r => r.ReadObjectPath());
        var state = path.IsOk ? systemd.Get(path.Value, UnitInterface, "ActiveState", static v => v as string ?? "") : path.Error;
        var result = path.IsOk ? systemd.Get(path.Value, ServiceInterface, "Result", static v => v as string ?? "") : path.Error;
        var why = result is { IsOk: true, Value: not ("success" or "") } ? $", result {Line(result.Value)}" : "";
        if (job is not ("done" or "skipped"))
            return new(unit, false, $"its start ended as {Line(job)}{why}");
        // A service that nobody refers to any more has been unloaded, and what is loaded anew is as good as new: the job had the last word.
        return state is { IsOk: true, Value: "failed" } || why.Length > 0 ? new(unit, false, $"it is {Line(state.Value ?? "failed")}{why}") : new(unit, true, "");
    }

    private static UnitRun Stop(SystemdClient systemd, string unit, TimeSpan limit)
    {
        // Else the next round would join this start, and not begin one.
        _ = systemd.Call(
            "StopUnit",
            w =>
            {
                w.WriteString(unit);
                w.WriteString("replace");
            },
            "o",
            static r => r.ReadObjectPath());
        return new(unit, false, FormattableString.Invariant($"it did not end within {limit.TotalSeconds:0} s"));
    }

    private static string Line(string text) => Printable.Line(text);
}
