// Data of a relocatable file as the loaded module would see it: words, and pointers that relocations fill in.
using System.Buffers;
using System.Text;

namespace LivePatchd.Core.Elf;

/// <summary>A place in a section's bytes.</summary>
internal readonly record struct Place(int Section, long Offset)
{
    internal Place Plus(long bytes) => this with { Offset = Offset + bytes };
}

internal readonly ref struct ElfPointers(ElfSections sections, ushort machine)
{
    internal const int Size = 8;
    internal const int MaxFunctionName = 511;
    internal const int MaxObjectName = 55;

    // What compilers for C and Rust and their optimisations put into names.
    private static readonly SearchValues<byte> SymbolCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.$@"u8);

    // The tables of a patch lie in a handful of sections.
    private const int MaxTables = 16;

    private readonly ElfSections sections = sections;
    private readonly ElfSymbols symbols = ElfSymbols.Open(sections, out _);
    private readonly uint? pointerType = ElfMachine.PointerRelocation(machine);
    private readonly Dictionary<int, RelocationTable?> tables = [];

    internal ushort Machine { get; } = machine;

    internal ElfSections Sections => sections;

    internal ElfSymbols Symbols => symbols;

    internal TableBudget Budget { get; } = new();

    internal long LengthOf(int section) => sections[section].Content.Length;

    /// <summary>Null when the section's relocations cannot be told for sure.</summary>
    internal RelocationTable? Relocations(int section)
    {
        if (tables.TryGetValue(section, out var known))
            return known;
        if (tables.Count == MaxTables)
            return null;
        var found = 0;
        var table = RelocationTable.Empty;
        for (var i = 1; i < sections.Count; i++)
        {
            if (sections[i].Type != ElfSection.Relocations || sections[i].Info != section || sections[i].Name.StartsWith(".klp.rela."u8))
                continue;
            table = ++found == 1 ? RelocationTable.Read(sections[i].Content) : null;
        }
        tables.Add(section, table);
        return table;
    }

    internal bool IsPointer(Place at) => Relocations(at.Section)?.At(at.Offset) is { } relocation && relocation.Type == pointerType;

    internal bool IsPointerOrNull(Place at) => IsPointer(at) || IsBlank(at, Size);

    /// <summary>False when no pointer is written there, or it leads out of the file's sections.</summary>
    internal bool TryFollow(Place at, out Place target)
    {
        target = default;
        return Relocations(at.Section)?.At(at.Offset) is { } relocation && TryTarget(relocation, out target);
    }

    internal bool TryTarget(Relocation relocation, out Place target)
    {
        target = default;
        if (relocation.Type != pointerType || relocation.Symbol >= symbols.Count)
            return false;
        var symbol = (int)relocation.Symbol;
        var section = symbols.Section(symbol);
        var value = symbols.Value(symbol);
        if (section is ElfSymbols.Undefined or >= ElfSymbols.FirstReserved || section >= sections.Count)
            return false;
        if (value > int.MaxValue || relocation.Addend is < int.MinValue or > int.MaxValue)
            return false;
        target = new Place(section, (long)value + relocation.Addend);
        return target.Offset >= 0 && (target.Offset < LengthOf(section) || sections[section].Type == ElfSection.NoBits);
    }

    /// <summary>Zeros that no relocation touches; never in a section without bytes.</summary>
    internal bool IsBlank(Place at, long length) =>
        TryBytes(at, length, out var bytes) && !bytes.ContainsAnyExcept((byte)0) && IsUntouched(at, length);

    /// <summary>A plain number, not a pointer.</summary>
    internal bool TryNumber(Place at, int size, out ulong value)
    {
        value = 0;
        if (!TryBytes(at, size, out var bytes) || !IsUntouched(at, size))
            return false;
        for (var i = size - 1; i >= 0; i--)
            value = (value << 8) | bytes[i];
        return true;
    }

    /// <summary>The name that the pointer at this place leads to: 1 to <paramref name="maxLength"/> characters of a symbol, else empty.</summary>
    internal ReadOnlySpan<byte> NameAt(Place at, int maxLength)
    {
        if (!TryFollow(at, out var target))
            return default;
        var name = CString.At(sections[target.Section].Content, target.Offset, maxLength);
        return name.ContainsAnyExcept(SymbolCharacters) ? default : name;
    }

    /// <summary>
    /// The name of an object that the pointer leads to: any visible text, for an author may write what no module is called. Empty when there
    /// is none.
    /// </summary>
    internal ReadOnlySpan<byte> ObjectNameAt(Place at)
    {
        if (!TryFollow(at, out var target))
            return default;
        var name = CString.At(sections[target.Section].Content, target.Offset, MaxObjectName);
        return IsName(name) ? name : default;
    }

    /// <summary>As <see cref="ObjectNameAt"/>, but null, and paid for.</summary>
    internal string? TakeObjectName(Place at) =>
        ObjectNameAt(at) is { IsEmpty: false } name && Budget.TakeName(name.Length) ? Encoding.ASCII.GetString(name) : null;

    /// <summary>As <see cref="NameAt"/>, but null, and paid for.</summary>
    internal string? TakeName(Place at, int maxLength) =>
        NameAt(at, maxLength) is { IsEmpty: false } name && Budget.TakeName(name.Length) ? Encoding.ASCII.GetString(name) : null;

    internal static bool IsName(ReadOnlySpan<byte> name) => !name.IsEmpty && !name.ContainsAnyExceptInRange((byte)'!', (byte)'~');

    // No relocation begins in these bytes, and no pointer reaches into them.
    private bool IsUntouched(Place at, long length) =>
        Relocations(at.Section) is { } table
        && !(table.FirstFrom(Math.Max(0, at.Offset - Size + 1)) is { } next && next.Offset < (ulong)(at.Offset + length));

    private bool TryBytes(Place at, long length, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        var content = sections[at.Section].Content;
        if (at.Offset < 0 || length < 0 || at.Offset > content.Length - length)
            return false;
        bytes = content.Slice((int)at.Offset, (int)length);
        return true;
    }
}
