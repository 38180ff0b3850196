// System states: a patch must be able to take over those that the installed patches have set up.
using System.Collections.Immutable;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Preflight;

internal static class StateJudgement
{
    /// <summary>
    /// The kernel's rule (klp_is_patch_compatible): a state that both have must not get an older version, and a cumulative patch must have
    /// them all. Only where the files of both tell.
    /// </summary>
    public static Against? Of(PatchModule module, ObservedState seen, ImmutableDictionary<PatchName, PatchFootprint> installed)
    {
        if (module.Footprint?.Tables is not { } tables)
            return null;
        foreach (var patch in seen.Patches.Where(p => p.Directory && p.Name != module.Name))
        {
            foreach (var state in installed.GetValueOrDefault(patch.Name)?.Tables?.States ?? [])
            {
                var own = tables.States.FirstOrDefault(s => s.Id == state.Id);
                if (own is null && tables.Replace == true)
                    return new(Reason.IncompatibleState, $"it replaces {patch.Name}, but lacks its system state {state.Id}");
                if (own is not null && own.Version < state.Version)
                    return new(Reason.IncompatibleState, $"system state {state.Id} has version {state.Version} by {patch.Name}, and {own.Version} here");
            }
        }
        return null;
    }
}
