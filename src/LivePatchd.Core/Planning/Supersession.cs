// Is a patch still superseded? Only as long as its successor is wanted, or sits in the kernel.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;

namespace LivePatchd.Core.Planning;

internal static class Supersession
{
    /// <param name="patch">Bytes in question; a new build under the old name is not superseded.</param>
    public static bool Holds(PatchName name, PatchIdentity? patch, PlannerInput input)
    {
        if (!input.Ledger.Superseded.TryGetValue(name, out var mark) || (patch is { } p && !p.Is(mark.Digest)))
            return false;
        if (input.Seen.Find(mark.By) is { Directory: true })
            return !Emergency.Restores(name, input);
        if (mark.ByDigest is not { } by || input.Ledger.Reverted.Contains(mark.By)
            || input.Ledger.Quarantined.ContainsKey(by) || input.Ledger.Unconfirmed.TryGetValue(mark.By, out var unconfirmed) && unconfirmed == by)
            return false;

        // A successor that the kernel refuses for good protects nobody: then the older patches are loaded again.
        return input.Want.Wanted.Any(w => w.Name == mark.By && w.Module.Identity.Is(by))
            && !(input.Ledger.Failures.TryGetValue(by, out var failure)
                && RetryPolicy.RetryAt(failure, input.Settings.Transition) is null);
    }
}
