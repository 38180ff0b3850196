// The section table of an ELF64 little-endian relocatable file, every offset checked against the file before use.
using System.Buffers.Binary;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Elf;

/// <summary>A view over the file's own bytes: nothing is copied, and nothing is allocated by what the file says.</summary>
internal readonly ref struct ElfSections
{
    private const int HeaderSize = 64;
    private const int EntrySize = 64;
    private const int Relocatable = 1;
    private const uint TypeNull = 0;
    private const uint TypeStringTable = 3;
    private const uint TypeNoBits = 8;

    private readonly ReadOnlySpan<byte> image;
    private readonly ReadOnlySpan<byte> table;
    private readonly ReadOnlySpan<byte> names;

    private ElfSections(ReadOnlySpan<byte> image, ReadOnlySpan<byte> table, ReadOnlySpan<byte> names)
    {
        this.image = image;
        this.table = table;
        this.names = names;
    }

    internal int Count => table.Length / EntrySize;

    /// <summary>For any index below <see cref="Count"/>.</summary>
    internal ElfSection this[int index] => new(image, names, table.Slice(index * EntrySize, EntrySize));

    /// <summary>Null when <paramref name="sections"/> was set; else why the file is refused.</summary>
    internal static (Reason Reason, string Detail)? Open(ReadOnlySpan<byte> image, ushort machine, out ElfSections sections)
    {
        sections = default;
        if (image.Length < HeaderSize || !image.StartsWith("\u007fELF"u8))
            return (Reason.NotAnElfFile, "no ELF header");
        if (image[4] != 2 || image[5] != 1 || image[6] != 1 || U16(image, 16) != Relocatable)
            return (Reason.NotAnElfFile, "not a 64-bit little-endian relocatable object");
        if (U16(image, 18) != machine)
            return (Reason.WrongMachine, $"ELF machine {U16(image, 18)}, this host is {machine}");

        var offset = U64(image, 40);
        int count = U16(image, 60);
        int nameIndex = U16(image, 62);
        if (U16(image, 58) != EntrySize || count == 0 || nameIndex >= count)
            return (Reason.MalformedModule, "the section header table makes no sense");
        if (!Fits(image, offset, (ulong)count * EntrySize))
            return (Reason.TruncatedFile, "the section header table lies beyond the end of the file");
        var table = image.Slice((int)offset, count * EntrySize);

        for (var i = 0; i < count; i++)
        {
            var entry = table.Slice(i * EntrySize, EntrySize);
            if (U32(entry, 4) is not (TypeNull or TypeNoBits) && !Fits(image, U64(entry, 24), U64(entry, 32)))
                return (Reason.TruncatedFile, $"section {i} lies beyond the end of the file");
        }

        var nameEntry = table.Slice(nameIndex * EntrySize, EntrySize);
        if (U32(nameEntry, 4) != TypeStringTable)
            return (Reason.MalformedModule, "the section names are no string table");
        sections = new ElfSections(image, table, Content(image, nameEntry));
        return null;
    }

    /// <summary>How many sections have this name; <paramref name="content"/> is the first one's.</summary>
    internal int Find(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> content)
    {
        content = default;
        var found = 0;
        for (var i = 0; i < Count; i++)
        {
            var entry = table.Slice(i * EntrySize, EntrySize);
            if (U32(entry, 4) is TypeNull or TypeNoBits || !HasName(entry, name))
                continue;
            if (found++ == 0)
                content = Content(image, entry);
        }
        return found;
    }

    /// <summary>The index of the one section of this name; null when there is none, or more than one.</summary>
    internal int? IndexOf(ReadOnlySpan<byte> name)
    {
        int? found = null;
        for (var i = 1; i < Count; i++)
        {
            if (!HasName(table.Slice(i * EntrySize, EntrySize), name))
                continue;
            if (found is not null)
                return null;
            found = i;
        }
        return found;
    }

    private bool HasName(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> name)
    {
        long start = U32(entry, 0);
        return start + name.Length < names.Length
            && names[(int)start..].StartsWith(name)
            && names[(int)start + name.Length] == 0;
    }

    // Only for entries that Open has checked.
    private static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> image, ReadOnlySpan<byte> entry) =>
        image.Slice((int)U64(entry, 24), (int)U64(entry, 32));

    private static bool Fits(ReadOnlySpan<byte> image, ulong offset, ulong size) =>
        offset <= (ulong)image.Length && size <= (ulong)image.Length - offset;

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
}
