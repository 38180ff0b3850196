// The other names of certain functions: ftrace's list has one name for each place, and a function may have several.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Preflight;

/// <summary>The list of symbols passes by twice: first for the addresses of the functions, then for whatever else is at them.</summary>
public sealed class AliasCensus
{
    // System calls have three. A place with very many names is no function.
    private const int MaxAliases = 64;

    private readonly ImmutableArray<(NeededSymbol Function, byte[] Name, byte[] Module)> asked;
    private readonly Dictionary<ulong, List<NeededSymbol>> places = [];
    private readonly HashSet<NeededSymbol> unknown;
    private readonly Dictionary<NeededSymbol, HashSet<NeededSymbol>> aliases = [];

    public AliasCensus(IEnumerable<NeededSymbol> functions)
    {
        ArgumentNullException.ThrowIfNull(functions);
        asked =
        [
            .. functions.Select(static f =>
                (f, Encoding.UTF8.GetBytes(f.Name), f.Object == PatchedObject.Vmlinux ? [] : Encoding.UTF8.GetBytes(f.Object))),
        ];
        unknown = [.. asked.Select(static a => a.Function)];
    }

    /// <summary>Functions whose address is hidden, or that are not in the list.</summary>
    public IReadOnlySet<NeededSymbol> Unknown => unknown;

    /// <summary>Of all the functions together, each to be looked for as a function of its own.</summary>
    public ImmutableArray<NeededSymbol> Aliases => [.. aliases.Values.SelectMany(static a => a).Distinct()];

    public void TakeAddress(KernelSymbolLine symbol)
    {
        if (symbol.Address == 0)
            return;
        foreach (var (function, name, module) in asked)
        {
            if (!symbol.Name.SequenceEqual(name) || !symbol.Module.SequenceEqual(module))
                continue;
            unknown.Remove(function);
            if (!places.TryGetValue(symbol.Address, out var here))
                places[symbol.Address] = here = [];
            here.Add(function);
        }
    }

    public void TakeName(KernelSymbolLine symbol)
    {
        if (!places.TryGetValue(symbol.Address, out var here))
            return;
        foreach (var function in here)
        {
            if (!aliases.TryGetValue(function, out var names))
                aliases[function] = names = [];
            if (names.Count >= MaxAliases)
            {
                unknown.Add(function);
                continue;
            }
            names.Add(function with { Name = Encoding.UTF8.GetString(symbol.Name) });
            // Some kernels leave out in one list what link-time optimisation appended in the other.
            if (KernelSymbolLine.BaseLength(symbol.Name) is var length && length < symbol.Name.Length)
                names.Add(function with { Name = Encoding.UTF8.GetString(symbol.Name[..length]) });
        }
    }

    /// <param name="missing">The aliases that ftrace's list has not either.</param>
    /// <returns>The functions that ftrace has under none of their names.</returns>
    public ImmutableArray<NeededSymbol> WithoutPlace(IReadOnlySet<NeededSymbol> missing)
    {
        ArgumentNullException.ThrowIfNull(missing);
        return [.. asked.Select(static a => a.Function).Where(f => !unknown.Contains(f) && aliases.GetValueOrDefault(f) is { } names && names.All(missing.Contains))];
    }
}
