// The life of every patch in view: runs the machine on each verdict and carries out its effects.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Log;
using LivePatchd.Metrics;

namespace LivePatchd.Loop;

internal sealed class LifeTable(DaemonLog log, DaemonMeter meter)
{
    /// <summary>A patch whose file is gone too stays in view as reverted for so long, then nothing is left of it to show.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMinutes(10);

    private readonly Dictionary<PatchName, PatchLife> lives = [];
    private readonly Dictionary<PatchName, Verdict> verdicts = [];
    private readonly Dictionary<PatchName, Instant> begun = [];

    public IReadOnlyDictionary<PatchName, PatchLife> Lives => lives;

    /// <summary>The request behind what happens to a patch.</summary>
    public Func<PatchName, Asked?> AskedFor { get; init; } = static _ => null;

    /// <summary>A patch that was handed over begins a life of ours.</summary>
    public void Forget(PatchName name)
    {
        lives.Remove(name);
        verdicts.Remove(name);
        begun.Remove(name);
    }

    /// <summary>The last plan's verdicts, and those of the patches that left a moment ago.</summary>
    public ImmutableArray<Verdict> Verdicts => [.. verdicts.Values.OrderBy(v => v.Name)];

    public void Take(Plan plan, Instant now)
    {
        foreach (var verdict in plan.Verdicts)
            Advance(verdict, now);
        foreach (var gone in lives.Keys.Except(plan.Verdicts.Select(v => v.Name)).ToList())
            Depart(gone, now);
    }

    private void Advance(Verdict verdict, Instant now)
    {
        var (next, effects) = TransitionMachine.Step(lives.GetValueOrDefault(verdict.Name), verdict.Event, now);
        var reason = verdicts.GetValueOrDefault(verdict.Name)?.Reason;
        lives[verdict.Name] = next;
        verdicts[verdict.Name] = verdict;
        foreach (var effect in effects)
            CarryOut(effect, verdict, now);
        if (effects.IsEmpty && verdict.Reason is not (null or Reason.TransitionInProgress) && reason != verdict.Reason)
            log.State(verdict.Name, next.State, next.State, verdict.Reason, verdict.Detail, verdict.Digest, AskedFor(verdict.Name));
    }

    /// <summary>Nothing is known of the name any more. What we took out says goodbye; what was never ours just goes.</summary>
    private void Depart(PatchName name, Instant now)
    {
        var life = lives[name];
        if (life.State is PatchState.Reverting or PatchState.Reversing)
            Advance(verdicts[name] with { Event = LifecycleEvent.Out, RetryAt = null }, now);
        else if (life.State is not PatchState.Reverted || now.Since(life.Since) >= Farewell)
            Forget(name);
    }

    private void CarryOut(Effect effect, Verdict verdict, Instant now)
    {
        switch (effect)
        {
            case Effect.Announce a:
                log.State(verdict.Name, a.From, a.To, verdict.Reason, verdict.Detail, verdict.Digest, AskedFor(verdict.Name));
                break;
            case Effect.Begin:
                begun[verdict.Name] = now;
                break;
            case Effect.Finish f:
                meter.TransitionEnded(f, begun.Remove(verdict.Name, out var start) ? now.Since(start) : null, verdict.Digest, AskedFor(verdict.Name)?.Job);
                break;
            case Effect.ReportImpossible i:
                log.Bug($"{verdict.Name} went from {i.From.Word()} by {i.Event}, which the table does not allow");
                break;
        }
    }
}
