// Watches the samples of a running transition for pressure under which it must be taken back, and rings the loop.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy;

namespace LivePatchd.Loop;

/// <summary>The sampler's thread calls Sampled; the loop reads Alarm and calls the rest.</summary>
internal sealed class AbortWatch(Action ring)
{
    private readonly Lock gate = new();
    private ImmutableArray<PressureSample> during = [];
    private TransitionSettings settings = TransitionSettings.Default;
    private PatchName? patch;
    private TransitionAlarm? alarm;

    /// <summary>Of the transition that is being watched.</summary>
    public TransitionAlarm? Alarm
    {
        get
        {
            lock (gate)
                return alarm;
        }
    }

    /// <param name="running">The patch whose enable is in transition; null when none is.</param>
    public void Follow(PatchName? running, TransitionSettings inForce)
    {
        lock (gate)
        {
            settings = inForce;
            if (running == patch)
                return;
            (patch, alarm, during) = (running, null, []);
        }
    }

    public void Sampled(PressureSample sample)
    {
        lock (gate)
        {
            if (patch is not { } name || alarm is not null)
                return;
            // Who is critical, the planner knows.
            (during, var abort) = AbortPressure.Look(during, sample, settings, Severity.Medium);
            if (abort is null)
                return;
            alarm = new TransitionAlarm(name, abort);
        }
        ring();
    }
}
