// What a patch's code refers to in the objects it patches: .klp.sym. symbols and .klp.rela. sections, by object.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace LivePatchd.Core.Elf;

/// <summary>These are needed by the new code; they are not the functions that are replaced.</summary>
/// <param name="Object">"vmlinux", or the module that must be there before the references are resolved.</param>
public sealed record ReferencedObject(string Object, ImmutableArray<ReferencedSymbol> Symbols, ImmutableArray<RelocatedSection> Sections);

/// <param name="Position">Which of several symbols of this name, from 1; 0 when the name must be the only one.</param>
public sealed record ReferencedSymbol(string Name, ulong Position);

/// <param name="Section">The section of the patch that the relocations are written into.</param>
public sealed record RelocatedSection(string Section, int Relocations);

internal sealed class LivepatchReferences
{
    private const int MaxReferences = 10_000;
    private const int MaxSectionName = 255;
    private const int RelocationSize = 24;

    private readonly Dictionary<string, (ImmutableArray<ReferencedSymbol>.Builder Symbols, ImmutableArray<RelocatedSection>.Builder Sections)> objects = [];
    private readonly List<string> order = [];
    private int left = MaxReferences;
    private int nameBytes = TableBudget.MaxNameBytes;

    /// <summary>Some were left out: there are too many, or their names make no sense.</summary>
    internal bool IsIncomplete { get; private set; }

    private bool IsExhausted => left == 0 || nameBytes < 0;

    internal static LivepatchReferences Read(ElfSections sections, ElfSymbols symbols)
    {
        var references = new LivepatchReferences();
        for (var i = 1; i < sections.Count && !references.IsExhausted; i++)
        {
            var section = sections[i];
            var name = section.Name;
            if (section.Type == ElfSection.Relocations && name.StartsWith(".klp.rela."u8))
                references.AddSection(name[".klp.rela.".Length..], section.Content.Length / RelocationSize);
        }
        for (var i = 1; i < symbols.Count && !references.IsExhausted; i++)
        {
            if (symbols.Section(i) != ElfSymbols.Livepatch)
                continue;
            var name = symbols.Name(i);
            if (name.StartsWith(".klp.sym."u8))
                references.AddSymbol(name[".klp.sym.".Length..]);
            else
                references.IsIncomplete = true;
        }
        references.IsIncomplete |= references.IsExhausted;
        return references;
    }

    internal ImmutableArray<ReferencedObject> Objects() =>
        [.. order.Select(name => new ReferencedObject(name, objects[name].Symbols.ToImmutable(), objects[name].Sections.ToImmutable()))];

    // OBJECT.SECTION, where the section begins with a dot of its own.
    private void AddSection(ReadOnlySpan<byte> name, int relocations)
    {
        var dot = name.IndexOf((byte)'.');
        if (dot < 0 || Text(name[(dot + 1)..], MaxSectionName) is not { } section || Object(name[..dot]) is not { } place)
            IsIncomplete = true;
        else
            objects[place].Sections.Add(new RelocatedSection(section, relocations));
    }

    // OBJECT.SYMBOL,POSITION; a symbol may have dots in it, an object not.
    private void AddSymbol(ReadOnlySpan<byte> name)
    {
        var dot = name.IndexOf((byte)'.');
        var comma = name.LastIndexOf((byte)',');
        if (dot < 0 || comma < dot
            || !ulong.TryParse(name[(comma + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            || Text(name[(dot + 1)..comma], ElfPointers.MaxFunctionName) is not { } symbol
            || Object(name[..dot]) is not { } place)
        {
            IsIncomplete = true;
        }
        else
        {
            objects[place].Symbols.Add(new ReferencedSymbol(symbol, position));
        }
    }

    private string? Object(ReadOnlySpan<byte> bytes)
    {
        if (left == 0 || Text(bytes, ElfPointers.MaxObjectName) is not { } name)
            return null;
        if (!objects.ContainsKey(name))
        {
            if (objects.Count == TableBudget.MaxObjects)
                return null;
            objects.Add(name, (ImmutableArray.CreateBuilder<ReferencedSymbol>(), ImmutableArray.CreateBuilder<RelocatedSection>()));
            order.Add(name);
        }
        left--;
        return name;
    }

    private string? Text(ReadOnlySpan<byte> bytes, int maxLength)
    {
        if (!ElfPointers.IsName(bytes) || bytes.Length > maxLength || (nameBytes -= bytes.Length) < 0)
            return null;
        return Encoding.ASCII.GetString(bytes);
    }
}
