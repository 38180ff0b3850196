// Who waits at the gates: whether anybody does, and one count for each patch and gate when the wait begins.
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Metrics;

namespace LivePatchd.Loop;

internal sealed class GateWaiters(DaemonMeter meter)
{
    private Dictionary<PatchName, (Gate? By, bool Exhausted)> held = [];

    /// <summary>The plan, made as if every gate were open, has a step that must pass them.</summary>
    public static bool AnyIn(Plan plan) => plan.Steps.Any(s => s is PlanStep.Load or PlanStep.Disable);

    /// <returns>True when somebody waits.</returns>
    public bool Take(Plan plan, GateDesk gates)
    {
        var next = new Dictionary<PatchName, (Gate? By, bool Exhausted)>();
        foreach (var verdict in plan.Verdicts)
        {
            if (verdict.Reason is not { } reason || !GateReasons.Contains(reason))
                continue;
            var board = verdict.Digest is { } digest && gates.OwnBoards.TryGetValue(digest, out var own) ? own : gates.Board;
            var by = board.Gates.FirstOrDefault(g => !g.Open)?.Gate;
            var exhausted = reason is Reason.DeferralExhausted;
            var before = held.GetValueOrDefault(verdict.Name);
            if (by is { } gate && before.By != gate)
                meter.HeldBy(gate);
            if (exhausted && !before.Exhausted)
                meter.DeferralExhausted();
            next[verdict.Name] = (by, exhausted);
        }
        held = next;
        return held.Count > 0;
    }
}
