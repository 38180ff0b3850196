// What is foreseen of loads: read off the loop at each scan and again right before a load, looked at anew while somebody waits for it to change.
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Linux.Preflight;

namespace LivePatchd.Loop;

/// <summary>The members named so are for the workers' threads, all others for the loop's. Without a patch that waits it costs nothing.</summary>
internal sealed class PreflightDesk(PreflightReader reader, MonotonicClock clock)
{
    /// <summary>Nothing tells of a probe that was removed, or of memory that was freed.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(14);

    private bool prepared;
    private bool waiting;

    public PreflightFacts Facts { get; private set; } = PreflightFacts.None;

    /// <summary>On a worker.</summary>
    public PreflightFacts Read(IEnumerable<PatchModule> patches) => reader.Read([.. patches], clock.Now());

    /// <summary>On the kernel's worker, right before the kernel is asked: does something stand against it by now?</summary>
    public (PreflightFacts Facts, Foresight Foresight) Check(PatchModule module, PlannerInput input)
    {
        var facts = reader.Read([module], clock.Now(), inHaste: true);
        return (facts, Admission.Foresee(module, input with { Preflight = facts }));
    }

    public void Take(PreflightFacts facts) => Facts = facts;

    /// <summary>Facts of one patch alone: those of the others stay as they were.</summary>
    public void TakeOne(PreflightFacts facts) => Facts = facts.Over(Facts);

    /// <summary>After each plan: is anybody held by what only another reading can lift?</summary>
    public void Look(Plan plan) => waiting = plan.Holds.Any(h => IsForeseen(h.Reason));

    /// <summary>What the idle worker for files might do; null for nothing.</summary>
    /// <param name="pending">Wanted, and not in the kernel.</param>
    public Func<WorkResult>? NextWork(IReadOnlyCollection<PatchModule> pending, KernelFacts kernel)
    {
        if (waiting && (Facts.ReadAt is not { } at || clock.Now().Since(at) >= LookAgain))
            return () => new WorkResult.Surveyed(Read(pending));
        if (prepared || !kernel.LivepatchPresent || !kernel.CanLoadModules)
            return null;
        // Once, whether it succeeds or not.
        prepared = true;
        return () =>
        {
            reader.Prepare();
            return new WorkResult.Surveyed(null);
        };
    }

    private static bool IsForeseen(Reason reason) =>
        reason is Reason.FtraceConflict or Reason.DependencyNotLoaded or Reason.MemoryLow or Reason.DiskSpaceLow;
}
