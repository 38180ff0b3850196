// One section of a checked table: its header's fields, and its bytes without copying them.
using System.Buffers.Binary;

namespace LivePatchd.Core.Elf;

/// <summary>Only for entries that <see cref="ElfSections.Open"/> has checked.</summary>
internal readonly ref struct ElfSection(ReadOnlySpan<byte> image, ReadOnlySpan<byte> names, ReadOnlySpan<byte> entry)
{
    internal const uint SymbolTable = 2;
    internal const uint StringTable = 3;
    internal const uint Relocations = 4;
    internal const uint NoBits = 8;
    internal const ulong Write = 1;
    internal const ulong Execute = 4;

    private const uint Null = 0;
    private const int MaxName = 512;

    private readonly ReadOnlySpan<byte> image = image;
    private readonly ReadOnlySpan<byte> names = names;
    private readonly ReadOnlySpan<byte> entry = entry;

    /// <summary>Empty when it is absent, without an end, or longer than any the kernel would use.</summary>
    internal ReadOnlySpan<byte> Name => CString.At(names, BinaryPrimitives.ReadUInt32LittleEndian(entry), MaxName);

    internal uint Type => BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]);

    internal ulong Flags => BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);

    internal uint Link => BinaryPrimitives.ReadUInt32LittleEndian(entry[40..]);

    internal uint Info => BinaryPrimitives.ReadUInt32LittleEndian(entry[44..]);

    /// <summary>Empty for a section that has no bytes in the file.</summary>
    internal ReadOnlySpan<byte> Content => Type is Null or NoBits
        ? default
        : image.Slice((int)BinaryPrimitives.ReadUInt64LittleEndian(entry[24..]), (int)BinaryPrimitives.ReadUInt64LittleEndian(entry[32..]));
}
