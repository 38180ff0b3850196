// Modules that the kernel keeps out because of a loaded patch: taken from its log, believed as long as sysfs agrees.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Log;

namespace LivePatchd.Loop;

/// <summary>For the loop's thread.</summary>
internal sealed class TargetRefusalBook(DaemonLog log)
{
    private const int MaxKept = 64;

    private readonly Dictionary<(PatchName Patch, string Module), bool> refused = [];

    /// <returns>True when it is one: worth a look.</returns>
    public bool Take(KernelLogRecord record)
    {
        // Programs may write to the log too, but not in the kernel's name.
        if (!record.FromKernel || TargetRefusal.Parse(record.Message) is not { } refusal)
            return false;
        if (refused.Count < MaxKept)
            refused[(refusal.Patch, refusal.Module)] = false;
        return true;
    }

    /// <summary>Those that still stand: the patch is loaded, has the module among its objects, and is not applied to it.</summary>
    public ImmutableDictionary<PatchName, string> Standing(ObservedState seen)
    {
        if (refused.Count == 0)
            return ImmutableDictionary<PatchName, string>.Empty;
        foreach (var (key, told) in refused.ToList())
        {
            if (seen.Find(key.Patch) is not { Directory: true } patch || !patch.Objects.Any(o => o.Name == key.Module && o.Patched != true))
            {
                refused.Remove(key);
            }
            else if (!told)
            {
                refused[key] = true;
                log.Problem(
                    EventKind.TargetRefused, $"{key.Patch}: the kernel keeps module {key.Module} out, because the patch cannot be applied to it", Reason.TargetModuleRefused, key.Patch);
            }
        }
        return refused.Keys.GroupBy(k => k.Patch).ToImmutableDictionary(
            g => g.Key, g => $"kept out: module {string.Join(", ", g.Select(k => k.Module).Order(StringComparer.Ordinal))}");
    }
}
