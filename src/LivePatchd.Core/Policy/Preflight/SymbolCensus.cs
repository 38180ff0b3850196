// Counts the symbols that a patch needs while the kernel's list of all symbols passes by.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Preflight;

/// <summary>Takes lines one at a time and keeps nothing of what it was not asked about.</summary>
public sealed class SymbolCensus
{
    private const int MaxVariants = 4;
    private const int MaxName = 512;

    private sealed class Entry(NeededSymbol needed)
    {
        internal readonly NeededSymbol Needed = needed;
        internal readonly byte[] Name = Encoding.UTF8.GetBytes(needed.Name);
        internal readonly byte[] Module = needed.Object == PatchedObject.Vmlinux ? [] : Encoding.UTF8.GetBytes(needed.Object);
        internal readonly List<string> Variants = [];
        internal int Count;
    }

    private readonly ImmutableArray<Entry> entries;
    private readonly Dictionary<ulong, List<Entry>> byBase = [];

    public SymbolCensus(IEnumerable<NeededSymbol> needed)
    {
        ArgumentNullException.ThrowIfNull(needed);
        entries = [.. needed.Select(static n => new Entry(n))];
        foreach (var entry in entries)
        {
            var hash = SymbolIndex.Hash(entry.Name.AsSpan(0, KernelSymbolLine.BaseLength(entry.Name)));
            if (!byBase.TryGetValue(hash, out var list))
                byBase[hash] = list = [];
            list.Add(entry);
        }
    }

    /// <summary>False when it needs only the kernel's own symbols, which come first in the list.</summary>
    public bool NeedsModules => entries.Any(static e => e.Module.Length > 0);

    public void Take(KernelSymbolLine symbol)
    {
        if (!byBase.TryGetValue(SymbolIndex.Hash(symbol.Name[..KernelSymbolLine.BaseLength(symbol.Name)]), out var list))
            return;
        foreach (var entry in list)
        {
            if (!symbol.Module.SequenceEqual(entry.Module))
                continue;
            if (symbol.Name.SequenceEqual(entry.Name))
                entry.Count++;
            else if (entry.Variants.Count < MaxVariants && symbol.Name.StartsWith(entry.Name) && symbol.Name[entry.Name.Length] == (byte)'.')
                entry.Variants.Add(Printable.Line(Encoding.UTF8.GetString(symbol.Name), MaxName));
        }
    }

    /// <summary>What does not fit.</summary>
    public ImmutableArray<SymbolFinding> Findings() =>
        [.. entries.Where(static e => !e.Needed.IsMetBy(e.Count)).Select(static e => new SymbolFinding(e.Needed, e.Count, [.. e.Variants]))];
}
