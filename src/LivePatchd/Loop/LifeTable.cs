// The life of every patch in view: runs the machine on each verdict and carries out its effects.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Log;
using LivePatchd.Metrics;

namespace LivePatchd.Loop;

internal sealed class LifeTable(DaemonLog log, DaemonMeter meter)
{
    private readonly Dictionary<PatchName, PatchLife> lives = [];
    private readonly Dictionary<PatchName, Reason?> reasons = [];
    private readonly Dictionary<PatchName, Instant> begun = [];

    public IReadOnlyDictionary<PatchName, PatchLife> Lives => lives;

    /// <summary>A patch that was handed over begins a life of ours.</summary>
    public void Forget(PatchName name)
    {
        lives.Remove(name);
        begun.Remove(name);
    }

    public void Take(Plan plan, Instant now)
    {
        foreach (var verdict in plan.Verdicts)
        {
            var (next, effects) = TransitionMachine.Step(lives.GetValueOrDefault(verdict.Name), verdict.Event, now);
            lives[verdict.Name] = next;
            foreach (var effect in effects)
                CarryOut(effect, verdict, now);
            if (effects.IsEmpty && verdict.Reason is not (null or Reason.TransitionInProgress) && reasons.GetValueOrDefault(verdict.Name) != verdict.Reason)
                log.State(verdict.Name, next.State, next.State, verdict.Reason, verdict.Detail, verdict.Digest);
            reasons[verdict.Name] = verdict.Reason;
        }
        foreach (var gone in lives.Keys.Except(plan.Verdicts.Select(v => v.Name)).ToList())
        {
            lives.Remove(gone);
            reasons.Remove(gone);
            begun.Remove(gone);
        }
    }

    private void CarryOut(Effect effect, Verdict verdict, Instant now)
    {
        switch (effect)
        {
            case Effect.Announce a:
                log.State(verdict.Name, a.From, a.To, verdict.Reason, verdict.Detail, verdict.Digest);
                break;
            case Effect.Begin:
                begun[verdict.Name] = now;
                break;
            case Effect.Finish f:
                meter.TransitionEnded(f, begun.Remove(verdict.Name, out var start) ? now.Since(start) : null);
                break;
            case Effect.ReportImpossible i:
                log.Bug($"{verdict.Name} went from {i.From.Word()} by {i.Event}, which the table does not allow");
                break;
        }
    }
}
