// The kernel's pressure triggers while somebody waits: armed, told once when they are refused, and what has fired since.
using System.Collections.Immutable;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Linux;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Pressure;
using LivePatchd.Log;

namespace LivePatchd.Loop;

internal sealed class TriggerWatch(SystemRoot root, DaemonLog log) : IDisposable
{
    private PsiTriggerSet? set;
    private ImmutableArray<PressureTrigger> asked = [];
    private bool toldRefusal;
    private ImmutableArray<PressureTrigger> fired = [];

    /// <summary>Every mark rings; else readings have to do.</summary>
    public bool AreArmed => set is { Complete: true };

    /// <summary>To be waited for as urgent.</summary>
    public ImmutableArray<PsiTrigger> Armed => set?.Armed ?? [];

    /// <param name="wanted">None: they are let go.</param>
    public void Want(ImmutableArray<PressureTrigger> wanted)
    {
        if (wanted.SequenceEqual(asked))
            return;
        Disarm();
        asked = wanted;
        set = PsiTriggerSet.Arm(root, wanted);
        if (set.Complete || toldRefusal)
            return;
        toldRefusal = true;
        var (trigger, result) = set.Refused[0];
        log.Note(EventKind.GateProblem, $"The kernel refuses pressure triggers ({trigger.Gate}: {result}); pressure is read every few seconds while a patch waits");
    }

    private void Disarm()
    {
        fired = [];
        if (set is not { } old)
            return;
        set = null;
        // Closing one waits for the kernel's other CPUs, and nobody waits for it here.
        if (!old.Armed.IsEmpty)
            ThreadPool.QueueUserWorkItem(static s => s.Dispose(), old, preferLocal: false);
    }

    /// <param name="outcomes">In the order of <see cref="Armed"/>.</param>
    /// <returns>True when one has fired or broke.</returns>
    public bool Collect(ReadOnlySpan<PollOutcome> outcomes)
    {
        if (set is null || outcomes.IndexOfAnyExcept(PollOutcome.Quiet) < 0)
            return false;
        fired = fired.AddRange(set.Collect(outcomes).Except(fired));
        return true;
    }

    public ImmutableArray<PressureTrigger> TakeFired()
    {
        var taken = fired;
        fired = [];
        return taken;
    }

    public void Dispose() => set?.Dispose();
}
