// One name, with everything known about it gathered: kernel, ownership, wish, and marks of the past.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Planning;

/// <param name="Owned">Set only when what the kernel holds under the name is what we loaded.</param>
/// <param name="Wanted">The file that asks for it; null also when several files disagree.</param>
/// <param name="Contested">Two files hold different builds under this name.</param>
/// <param name="Refused">A refused file of this name, or at the path that the owned patch came from.</param>
/// <param name="Unknown">The owned patch came from a directory that cannot be read now, or from a file system that is not there.</param>
/// <param name="Awaited">Its file is missing, and has not been for long enough to count.</param>
internal sealed record Situation(
    PatchName Name,
    LoadedPatch? Loaded,
    OwnedPatch? Owned,
    WantedPatch? Wanted,
    bool Contested,
    RefusedFile? Refused,
    bool Unknown,
    bool Awaited)
{
    public KernelPatchState Kernel => Loaded?.State ?? KernelPatchState.NotLoaded;

    /// <summary>The name is taken in the kernel by something that is not ours.</summary>
    public bool Foreign => Owned is null && Kernel is not KernelPatchState.NotLoaded;

    public static ImmutableArray<Situation> Gather(PlannerInput input)
    {
        var names = new SortedSet<PatchName>();
        names.UnionWith(input.Seen.Patches.Where(p => p.Livepatch && p.Directory).Select(p => p.Name));
        names.UnionWith(input.Ledger.Owned.Keys);
        names.UnionWith(input.Want.Wanted.Select(w => w.Name));
        names.UnionWith(input.Want.Refused.Where(r => r.Name is not null).Select(r => r.Name!.Value));
        return [.. names.Select(n => Of(n, input))];
    }

    private static Situation Of(PatchName name, PlannerInput input)
    {
        var loaded = input.Seen.Find(name);
        if (loaded is { State: KernelPatchState.NotLoaded })
            loaded = null;
        var owned = input.Ledger.Owned.GetValueOrDefault(name);
        if (owned is not null && loaded is not null && !SameBuild(owned.BuildId, loaded.BuildId))
            owned = null;

        var candidates = input.Want.Wanted.Where(w => w.Name == name).ToList();
        var builds = candidates.Select(w => w.Module.Identity.Key).Distinct().Count();
        // Of several files with one content the one that is loaded already, else the first.
        var wanted = candidates.FirstOrDefault(w => owned is not null && w.Module.Digest == owned.Digest)
            ?? candidates.FirstOrDefault(w => owned is not null && w.Module.Identity.Matches(owned.Identity))
            ?? (builds == 1 ? candidates[0] : null);
        var path = owned?.Path;
        var refused = input.Want.Refused.FirstOrDefault(r => r.Name == name || (path is not null && r.Path == path));
        // A directory that was listed speaks for each of its files, but for those that came from another file system.
        var unknown = input.Want.OutOfSight.Contains(name) || (path is { Length: > 0 } && input.Want.Unreadable.Any(d =>
            !input.Want.Seats.ContainsKey(d.Path) && path.StartsWith(d.Path.TrimEnd('/') + "/", StringComparison.Ordinal)));
        return new Situation(name, loaded, owned, wanted, builds > 1, refused, unknown, input.Want.Awaited.Contains(name));
    }

    /// <summary>Builds differ only when both ids are known and unequal: a module without one is taken at its name.</summary>
    private static bool SameBuild(BuildId? left, BuildId? right) => left is null || right is null || left == right;
}
