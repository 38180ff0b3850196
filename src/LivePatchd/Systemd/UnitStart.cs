// One start of a service: its job, and what the unit's own properties say of it before and after.
using LivePatchd.Bus;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Systemd;

internal sealed class UnitStart
{
    private const string UnitInterface = "org.freedesktop.systemd1.Unit";
    private const string ServiceInterface = "org.freedesktop.systemd1.Service";
    private const string JobInterface = "org.freedesktop.systemd1.Job";
    private const string Success = "success";

    private readonly SystemdClient systemd;
    private readonly string path;
    private readonly string job;
    private readonly Facts before;

    private UnitStart(SystemdClient systemd, string unit, string path, string job, Facts before)
    {
        (this.systemd, Unit, this.path, this.job, this.before) = (systemd, unit, path, job, before);
    }

    /// <param name="Invocation">New with each start that begins.</param>
    /// <param name="ConditionAt">When its conditions were tried last.</param>
    private sealed record Facts(string State, string Result, string Invocation, ulong ConditionAt, bool ConditionHeld);

    public string Unit { get; }

    public static BusResult<UnitStart> Begin(SystemdClient systemd, string unit)
    {
        // A unit to which nobody refers is unloaded at its end, and forgets how it ended; where this is refused, that is all that is lost.
        _ = systemd.Call("RefUnit", w => w.WriteString(unit), "", static _ => true);
        var path = systemd.Call("LoadUnit", w => w.WriteString(unit), "o", static r => r.ReadObjectPath());
        if (!path.IsOk)
            return path.Error;
        var before = Read(systemd, path.Value);
        if (!before.IsOk)
            return before.Error;
        var job = Ask(systemd, "StartUnit", unit);
        return job.IsOk ? new UnitStart(systemd, unit, path.Value, job.Value, before.Value) : job.Error;
    }

    /// <summary>Its job is gone. What cannot be asked has not ended.</summary>
    public bool HasEnded() => systemd.Get(job, JobInterface, "State", static v => v as string ?? "") is
    {
        IsOk: false,
        Error.Name: BusErrorNames.UnknownObject or BusErrorNames.UnknownInterface or BusErrorNames.UnknownMethod,
    };

    public UnitRun Judge()
    {
        var read = Read(systemd, path);
        if (!read.IsOk)
            return new(Unit, null, $"cannot be asked how it ended: {Line(read.Error.Message)}");
        var after = read.Value;
        var why = after.Result is Success or "" ? "" : $", result {Line(after.Result)}";
        // Nothing of an earlier end is held against this start, nor counted for it.
        if (after.Invocation == before.Invocation && (after.State, after.Result) == (before.State, before.Result))
        {
            return after.State is "active" or "reloading" || (after.ConditionAt != before.ConditionAt && !after.ConditionHeld)
                ? new(Unit, true, "")
                : BrokenRequirement() is { } broken
                    ? new(Unit, false, $"it was not started, for it requires {Line(broken)}, which has failed")
                    : new(Unit, null, "it was not started");
        }
        return after.State is "failed" or "activating" || why.Length > 0 ? new(Unit, false, $"it is {Line(after.State)}{why}") : new(Unit, true, "");
    }

    public UnitRun Stop(TimeSpan limit)
    {
        // Else the next round would join this start, and not begin one.
        _ = Ask(systemd, "StopUnit", Unit);
        return new(Unit, false, FormattableString.Invariant($"it did not end within {limit.TotalSeconds:0} s"));
    }

    private static BusResult<string> Ask(SystemdClient systemd, string member, string unit) => systemd.Call(
        member,
        w =>
        {
            w.WriteString(unit);
            w.WriteString("replace");
        },
        "o",
        static r => r.ReadObjectPath());

    private static BusResult<Facts> Read(SystemdClient systemd, string path)
    {
        var state = systemd.Get(path, UnitInterface, "ActiveState", static v => v as string ?? "");
        if (!state.IsOk)
            return state.Error;
        // Units of other kinds have no such interface.
        var result = systemd.Get(path, ServiceInterface, "Result", static v => v as string ?? "");
        var invocation = systemd.Get(path, UnitInterface, "InvocationID", static v => v is byte[] id ? Convert.ToHexString(id) : "");
        var at = systemd.Get(path, UnitInterface, "ConditionTimestampMonotonic", static v => v is ulong time ? time : 0);
        var held = systemd.Get(path, UnitInterface, "ConditionResult", static v => v is true);
        return new Facts(state.Value, result.Value ?? Success, invocation.Value ?? "", at.Value, held is not { IsOk: true, Value: false });
    }

    private string? BrokenRequirement()
    {
        foreach (var kind in new[] { "Requires", "Requisite", "BindsTo" })
        {
            foreach (var name in systemd.Get(path, UnitInterface, kind, static v => v as string[] ?? []).Value ?? [])
            {
                var required = systemd.Call("LoadUnit", w => w.WriteString(name), "o", static r => r.ReadObjectPath());
                if (required.IsOk && systemd.Get(required.Value, UnitInterface, "ActiveState", static v => v as string ?? "").Value is "failed")
                    return name;
            }
        }
        return null;
    }

    private static string Line(string text) => Printable.Line(text);
}
