// The symbols of the running kernel: an index of its own ones, made once a boot, and a full pass over the list where that does not settle it.
using System.Collections.Immutable;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Linux.Preflight;

/// <summary>A pass takes tens of milliseconds on a fast machine and a second on a slow one. Not thread-safe.</summary>
internal sealed class KernelSymbols(SystemRoot root)
{
    // Ten times what a kernel with very many modules has.
    private const long MaxBytes = 256L << 20;

    private const string List = "/proc/kallsyms";

    private SymbolIndex? index;

    internal bool IsIndexed => index is not null;

    /// <summary>Makes the index ahead of the first load that would wait for it.</summary>
    internal void Index()
    {
        if (index is null)
            Pass(null, out _);
    }

    /// <param name="needed">Of the kernel itself, and of modules that are loaded.</param>
    internal SymbolFacts Look(ImmutableArray<NeededSymbol> needed)
    {
        if (needed.IsEmpty || index?.Meets(needed) == true)
            return SymbolFacts.AllFound;
        var census = new SymbolCensus(needed);
        Pass(census, out var unknown);
        return unknown is null ? new SymbolFacts(census.Findings(), null) : new SymbolFacts([], unknown);
    }

    /// <summary>All names of these functions, by two passes; null when the list cannot be read.</summary>
    internal AliasCensus? Aliases(IEnumerable<NeededSymbol> functions)
    {
        var census = new AliasCensus(functions);
        return Each(census.TakeAddress) && Each(census.TakeName) ? census : null;
    }

    private bool Each(Action<KernelSymbolLine> take) => LineStream.Read(root.Path(List), MaxBytes, line =>
    {
        if (KernelSymbolLine.TryParse(line, out var symbol))
            take(symbol);
        return true;
    }).IsOk;

    private void Pass(SymbolCensus? census, out string? unknown)
    {
        var builder = index is null ? new SymbolIndex.Builder() : null;
        var own = true;
        var count = 0;
        var wantsModules = census?.NeedsModules ?? false;
        var read = LineStream.Read(root.Path(List), MaxBytes, line =>
        {
            if (!KernelSymbolLine.TryParse(line, out var symbol))
                return true;
            count++;
            own &= symbol.Module.IsEmpty;
            if (!own && !wantsModules)
                return false;
            if (own && builder is not null && !builder.Take(symbol.Name))
                builder = null;
            census?.Take(symbol);
            return true;
        });
        // A sandbox that hides the list shows an empty file, in which nothing would be found.
        unknown = !read.IsOk ? $"/proc/kallsyms: {read.Errno}" : count == 0 ? "/proc/kallsyms is hidden or empty" : null;
        if (unknown is null && builder is not null)
            index = builder.Build();
    }
}
