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
    private readonly Dictionary<ulong, Place> places = [];
    private readonly HashSet<NeededSymbol> unknown;

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
    public ImmutableArray<NeededSymbol> Aliases => [.. places.Values.SelectMany(static p => p.Functions.SelectMany(p.NamesOf)).Distinct()];

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
                places[symbol.Address] = here = new Place();
            here.Functions.Add(function);
        }
    }

    public void TakeName(KernelSymbolLine symbol)
    {
        // The same name may come any number of times: it is compared before anything is kept.
        if (!places.TryGetValue(symbol.Address, out var here) || here.Has(symbol.Name))
            return;
        if (here.Names.Count < MaxAliases)
            here.Names.Add(symbol.Name.ToArray());
        else
            unknown.UnionWith(here.Functions);
    }

    /// <param name="missing">The aliases that ftrace's list has not either.</param>
    /// <returns>The functions that ftrace has under none of their names.</returns>
    public ImmutableArray<NeededSymbol> WithoutPlace(IReadOnlySet<NeededSymbol> missing)
    {
        ArgumentNullException.ThrowIfNull(missing);
        var found = places.Values.SelectMany(p => p.Functions.Where(f => !p.NamesOf(f).All(missing.Contains))).ToHashSet();
        return [.. asked.Select(static a => a.Function).Where(f => !unknown.Contains(f) && !found.Contains(f))];
    }

    /// <summary>One address, with the functions that were asked for and all names that it has.</summary>
    private sealed class Place
    {
        public HashSet<NeededSymbol> Functions { get; } = [];

        public List<byte[]> Names { get; } = [];

        public bool Has(ReadOnlySpan<byte> name)
        {
            foreach (var known in Names)
            {
                if (name.SequenceEqual(known))
                    return true;
            }
            return false;
        }

        public IEnumerable<NeededSymbol> NamesOf(NeededSymbol function)
        {
            foreach (var name in Names)
            {
                yield return function with { Name = Encoding.UTF8.GetString(name) };
                // Some kernels leave out in one list what link-time optimisation appended in the other.
                if (KernelSymbolLine.BaseLength(name) is var length && length < name.Length)
                    yield return function with { Name = Encoding.UTF8.GetString(name.AsSpan(0, length)) };
            }
        }
    }
}
