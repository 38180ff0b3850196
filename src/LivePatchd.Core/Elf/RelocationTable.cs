// The relocations of one section in order of their places, so that "what is written here?" is a binary search.
using System.Buffers.Binary;

namespace LivePatchd.Core.Elf;

internal sealed class RelocationTable
{
    internal static readonly RelocationTable Empty = new([]);

    // More than the tables of any patch need; a larger section is not searched rather than copied.
    private const int MaxEntries = 65_536;
    private const int EntrySize = 24;

    private readonly Relocation[] entries;

    private RelocationTable(Relocation[] entries) => this.entries = entries;

    internal ReadOnlySpan<Relocation> Entries => entries;

    /// <summary>Null when there are too many, or two write to one place.</summary>
    internal static RelocationTable? Read(ReadOnlySpan<byte> content)
    {
        var count = content.Length / EntrySize;
        if (count > MaxEntries)
            return null;
        var entries = new Relocation[count];
        var isSorted = true;
        for (var i = 0; i < count; i++)
        {
            var entry = content.Slice(i * EntrySize, EntrySize);
            var info = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            entries[i] = new Relocation(
                BinaryPrimitives.ReadUInt64LittleEndian(entry),
                (uint)(info >> 32),
                (uint)info,
                BinaryPrimitives.ReadInt64LittleEndian(entry[16..]));
            isSorted &= i == 0 || entries[i - 1].Offset < entries[i].Offset;
        }
        if (isSorted)
            return new RelocationTable(entries);
        Array.Sort(entries, static (a, b) => a.Offset.CompareTo(b.Offset));
        for (var i = 1; i < count; i++)
        {
            if (entries[i - 1].Offset == entries[i].Offset)
                return null;
        }
        return new RelocationTable(entries);
    }

    internal Relocation? At(long offset) =>
        FirstFrom(offset) is { } next && next.Offset == (ulong)offset ? next : null;

    /// <summary>The first relocation at or after the offset.</summary>
    internal Relocation? FirstFrom(long offset)
    {
        int low = 0, high = entries.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (entries[middle].Offset < (ulong)offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low < entries.Length ? entries[low] : null;
    }
}

internal readonly record struct Relocation(ulong Offset, uint Symbol, uint Type, long Addend);
