// Patches that exclude each other: neither goes in while the other is in the kernel, or waits to go in.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Planning;

internal static class Conflicts
{
    /// <summary>One manifest that says so is enough, whichever of the two it belongs to. What the patch replaces is no conflict.</summary>
    public static Obstacle? Check(WantedPatch wanted, PlannerInput input)
    {
        foreach (var name in wanted.Manifest?.Conflicts ?? [])
        {
            if (name != wanted.Name && !wanted.Manifest!.Replaces.Contains(name) && Stands(name, input))
                return new(LifecycleEvent.Blocked, Reason.ConflictingPatch, Detail: $"its manifest excludes {name}");
        }
        var other = input.Want.Wanted.FirstOrDefault(w =>
            w.Name != wanted.Name && w.Manifest?.Conflicts.Contains(wanted.Name) == true
            && wanted.Manifest?.Replaces.Contains(w.Name) != true && Stands(w.Name, input));
        return other is null ? null : new(LifecycleEvent.Blocked, Reason.ConflictingPatch, Detail: $"the manifest of {other.Name} excludes it");
    }

    private static bool Stands(PatchName name, PlannerInput input) =>
        input.Seen.Find(name) is { Directory: true }
        || !input.Ledger.Reverted.Contains(name) && !Supersession.Holds(name, patch: null, input)
            && input.Want.Wanted.Any(w => w.Name == name && !input.Ledger.Quarantined.Has(w.Module.Identity));
}
