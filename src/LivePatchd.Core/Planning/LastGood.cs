// No update leaves a host worse: which trusted build stands in for one that was given up, and which are kept for that.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Planning;

/// <summary>
/// The file stays the wish: a trusted build is loaded only for a file that is there, of its own name or of a cumulative patch that has
/// replaced it, and only while that file's build cannot be had. It was in use before, so it does not soak again and asks no gate.
/// </summary>
public static class LastGood
{
    /// <summary>The same question, with trusted builds in the place of those that were given up.</summary>
    public static PlannerInput Complete(PlannerInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Want.Kept.IsEmpty || input.Settings.StoreKeep == 0)
            return input;
        var wanted = input.Want.Wanted;
        var names = wanted.Select(static w => w.Name).Concat(input.Want.Refused.Where(static r => r.Name is not null).Select(static r => r.Name!.Value)).Distinct().Order().ToList();
        foreach (var name in names)
        {
            if (input.Ledger.Reverted.Contains(name) || WhyGivenUp(name, input) is not { } given)
                continue;
            if (Newest(name, given.Digest, input) is { } own)
                wanted = [.. wanted.Where(w => w.Name != name), own with { InsteadOf = given }];
            else
                wanted = wanted.AddRange(ReplacedBy(name, names, input).Select(w => w with { InsteadOf = given }));
        }
        return wanted == input.Want.Wanted ? input : input with { Want = input.Want with { Wanted = [.. wanted.DistinctBy(static w => (w.Name, w.Path))] } };
    }

    /// <summary>What the store must keep for that, beside what is wanted and what is loaded: of each name that is wished for the newest ones.</summary>
    public static ImmutableArray<Sha256> ToKeep(DesiredState want, Ledger ledger, int keep)
    {
        ArgumentNullException.ThrowIfNull(want);
        ArgumentNullException.ThrowIfNull(ledger);
        var wished = want.Wanted.Select(static w => w.Name).Concat(want.Refused.Where(static r => r.Name is not null).Select(static r => r.Name!.Value)).ToHashSet();
        wished.UnionWith(wished.SelectMany(ledger.ReplacedBy).ToList());
        wished.UnionWith(ledger.Owned.Keys);
        return
        [
            .. want.Kept.Concat(want.Wanted).Where(w => wished.Contains(w.Name) && ledger.Confirmed.Has(w.Module.Identity))
                .GroupBy(static w => w.Name)
                .SelectMany(g => g.DistinctBy(static w => w.Module.Identity.Key).OrderByDescending(w => Age(w, ledger)).Take(keep))
                .Select(static w => w.Module.Digest),
        ];
    }

    /// <summary>Null while the build that is asked for is in use, or may still be loaded, or nobody knows which one is meant.</summary>
    private static GivenUp? WhyGivenUp(PatchName name, PlannerInput input)
    {
        var owned = input.Ledger.Owned.GetValueOrDefault(name);
        var files = input.Want.Wanted.Where(w => w.Name == name).ToList();
        if (files.Count == 0)
        {
            // What is loaded stays in spite of a file that went bad, and says so.
            return owned is null or { InsteadOf: not null } && input.Want.Refused.FirstOrDefault(r => r.Name == name) is { } refused
                ? new(name, null, refused.Reason, refused.Detail, null)
                : null;
        }
        if (files.Select(static w => w.Module.Identity.Key).Distinct().Count() > 1)
            return null;
        var wanted = files[0];
        if (owned is not null && owned.Identity.Matches(wanted.Module.Identity) && Emergency.Of(owned, input.Ledger) is null)
            return null;
        return Admission.Lasting(wanted, input) is { } obstacle
            ? new(name, wanted.Module.Digest, obstacle.Reason, obstacle.Detail, obstacle.RetryAt)
            : null;
    }

    /// <summary>Of the same name; not where another build of it is still in the kernel.</summary>
    private static WantedPatch? Newest(PatchName name, Sha256? given, PlannerInput input) => input.Want.Kept
        .Where(k => k.Name == name && k.Module.Digest != given && MayStandIn(k, input)
            && (!input.Ledger.Owned.TryGetValue(name, out var owned) || owned.Identity.Matches(k.Module.Identity)))
        .MaxBy(k => Age(k, input.Ledger));

    /// <summary>
    /// Patches that the cumulative one has replaced, and no file asks for any more. Of one that cannot come back itself, those that it had
    /// replaced in its turn.
    /// </summary>
    private static IEnumerable<WantedPatch> ReplacedBy(PatchName by, IReadOnlyCollection<PatchName> withFiles, PlannerInput input)
    {
        var seen = new HashSet<PatchName>(withFiles) { by };
        var open = new Queue<PatchName>([by]);
        while (open.TryDequeue(out var successor))
        {
            var replaced = input.Ledger.Superseded.Where(m => m.Value.By == successor).Select(static m => (m.Key, m.Value.Digest))
                .Concat(input.Ledger.Owned.Values.Where(o => o.InsteadOf == successor).Select(static o => (Key: o.Name, Digest: o.Identity.Key)));
            foreach (var (name, digest) in replaced.OrderBy(static r => r.Key).ToList())
            {
                if (!seen.Add(name) || input.Ledger.Reverted.Contains(name))
                    continue;
                if (input.Want.Kept.FirstOrDefault(k => k.Name == name && k.Module.Identity.Is(digest) && MayStandIn(k, input)) is { } build)
                    yield return build;
                else
                    open.Enqueue(name);
            }
        }
    }

    /// <summary>Trusted, and nothing lasting stands against it.</summary>
    private static bool MayStandIn(WantedPatch kept, PlannerInput input) =>
        input.Ledger.Confirmed.Has(kept.Module.Identity) && !input.Want.Denied.Has(kept.Module.Identity) && Admission.Lasting(kept, input) is null;

    /// <summary>The later it was confirmed the greater.</summary>
    private static int Age(WantedPatch kept, Ledger ledger)
    {
        var confirmed = ledger.Confirmed;
        for (var i = confirmed.Length - 1; i >= 0; i--)
        {
            if (kept.Module.Identity.Is(confirmed[i]))
                return i;
        }
        return -1;
    }
}
