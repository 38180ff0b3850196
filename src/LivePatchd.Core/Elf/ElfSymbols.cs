// The symbol table of a module, read in place.
using System.Buffers.Binary;

namespace LivePatchd.Core.Elf;

/// <summary>The default value is a table without symbols.</summary>
internal readonly ref struct ElfSymbols
{
    internal const int Undefined = 0;
    internal const int FirstReserved = 0xff00;
    internal const int Livepatch = 0xff20;
    internal const int DataObject = 1;

    private const int EntrySize = 24;

    // .klp.sym. + 55 + . + 511 + , + digits
    private const int MaxName = 600;

    private readonly ReadOnlySpan<byte> table;
    private readonly ReadOnlySpan<byte> names;

    private ElfSymbols(ReadOnlySpan<byte> table, ReadOnlySpan<byte> names)
    {
        this.table = table;
        this.names = names;
    }

    internal int Count => table.Length / EntrySize;

    /// <summary>The index of the table's section goes out with it; a file with no symbol table, or with several, has no symbols here.</summary>
    internal static ElfSymbols Open(ElfSections sections, out int index)
    {
        index = 0;
        for (var i = 1; i < sections.Count; i++)
        {
            if (sections[i].Type != ElfSection.SymbolTable)
                continue;
            if (index != 0)
            {
                index = 0;
                return default;
            }
            index = i;
        }
        if (index == 0 || sections[index].Link is var link && link >= sections.Count || sections[(int)sections[index].Link].Type != ElfSection.StringTable)
            return default;
        return new ElfSymbols(sections[index].Content, sections[(int)sections[index].Link].Content);
    }

    internal ReadOnlySpan<byte> Name(int symbol) => CString.At(names, BinaryPrimitives.ReadUInt32LittleEndian(Entry(symbol)), MaxName);

    internal int Type(int symbol) => Entry(symbol)[4] & 0xf;

    internal int Section(int symbol) => BinaryPrimitives.ReadUInt16LittleEndian(Entry(symbol)[6..]);

    internal ulong Value(int symbol) => BinaryPrimitives.ReadUInt64LittleEndian(Entry(symbol)[8..]);

    internal ulong Size(int symbol) => BinaryPrimitives.ReadUInt64LittleEndian(Entry(symbol)[16..]);

    /// <summary>The first symbol of this name.</summary>
    internal int? Find(ReadOnlySpan<byte> name)
    {
        for (var i = 1; i < Count; i++)
        {
            long start = BinaryPrimitives.ReadUInt32LittleEndian(Entry(i));
            if (start + name.Length < names.Length && names[(int)start + name.Length] == 0 && names[(int)start..].StartsWith(name))
                return i;
        }
        return null;
    }

    private ReadOnlySpan<byte> Entry(int symbol) => table.Slice(symbol * EntrySize, EntrySize);
}
