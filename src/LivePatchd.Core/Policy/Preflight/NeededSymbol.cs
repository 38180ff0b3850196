// A symbol that the kernel looks up when a patch is loaded, and what was found under its name.
using System.Collections.Immutable;
using LivePatchd.Core.Elf;

namespace LivePatchd.Core.Policy.Preflight;

/// <param name="Position">Which of several symbols of this name, from 1; 0 when the name must be the only one.</param>
/// <param name="IsFunction">To be replaced; else only referred to.</param>
public sealed record NeededSymbol(string Object, string Name, ulong Position, bool IsFunction)
{
    /// <summary>The kernel finds the one that is meant.</summary>
    public bool IsMetBy(int count) => Position == 0 ? count == 1 : Position <= (ulong)count;

    /// <param name="isLoaded">Of a module: what belongs to others is looked up when they are loaded.</param>
    public static ImmutableArray<NeededSymbol> Of(PatchFootprint footprint, Func<string, bool> isLoaded)
    {
        ArgumentNullException.ThrowIfNull(footprint);
        return
        [
            .. footprint.Functions().Select(static f => new NeededSymbol(f.Object, f.Function.Name, f.Function.Position, IsFunction: true))
                .Concat(footprint.References.SelectMany(static r => r.Symbols.Select(s => new NeededSymbol(r.Object, s.Name, s.Position, IsFunction: false))))
                .Where(s => s.Object == PatchedObject.Vmlinux || isLoaded(s.Object))
                .Distinct(),
        ];
    }
}

/// <summary>A need that is not met.</summary>
/// <param name="Count">How often the name occurs in its object.</param>
/// <param name="Variants">Names that are this one and something the compiler appended; a few of them.</param>
public sealed record SymbolFinding(NeededSymbol Needed, int Count, ImmutableArray<string> Variants)
{
    /// <summary>Kernels built with link-time optimisation differ in whether they take the name without its ".llvm." for the same.</summary>
    public bool MayBeFoundAll => Count == 0 && Needed.Position <= 1 && Variants.Count(static v => v.Contains(".llvm.", StringComparison.Ordinal)) == 1;
}

/// <param name="Unknown">Null, or why the kernel's symbols could not be read: then nothing is concluded.</param>
public sealed record SymbolFacts(ImmutableArray<SymbolFinding> Findings, string? Unknown)
{
    public static SymbolFacts AllFound { get; } = new([], null);

    /// <summary>Functions that exist and have no place for ftrace; empty also where that could not be looked up.</summary>
    public ImmutableArray<NeededSymbol> NotTraceable { get; init; } = [];
}
