// Which functions of certain patches ftrace cannot reach; looked up once for a patch while the same modules are loaded.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Linux.Preflight;

/// <summary>Not thread-safe.</summary>
internal sealed class TraceableFunctions(TracingReader tracing, KernelSymbols symbols)
{
    private const int MaxRemembered = 256;

    private readonly Dictionary<(Sha256 Digest, string Targets), ImmutableArray<NeededSymbol>> known = [];

    /// <summary>Those that are known to have no place; none where that was not looked up.</summary>
    internal ImmutableArray<NeededSymbol> Without((Sha256 Digest, string Targets) patch) => known.GetValueOrDefault(patch, []);

    /// <summary>One reading for all patches that are not known yet.</summary>
    /// <param name="asked">Functions that exist.</param>
    internal void Look(IEnumerable<((Sha256 Digest, string Targets) Patch, ImmutableArray<NeededSymbol> Functions)> asked)
    {
        var unknown = asked.Where(a => !known.ContainsKey(a.Patch)).ToList();
        var functions = unknown.SelectMany(static a => a.Functions).ToHashSet();
        // What could not be read may be there next time.
        if (functions.Count == 0 || Missing(functions) is not { } missing)
            return;
        if (known.Count + unknown.Count > MaxRemembered)
            known.Clear();
        foreach (var (patch, own) in unknown)
            known[patch] = [.. own.Where(missing.Contains)];
    }

    private IReadOnlySet<NeededSymbol>? Missing(IReadOnlySet<NeededSymbol> functions)
    {
        if (tracing.WithoutPlace(functions) is not { } unlisted)
            return null;
        if (unlisted.Count == 0)
            return unlisted;
        // The list has one name for each place, and many functions have several: those of system calls have three.
        return symbols.Aliases(unlisted) is { } census && tracing.WithoutPlace(census.Aliases) is { } unlistedAliases
            ? census.WithoutPlace(unlistedAliases).ToHashSet()
            : null;
    }
}
