// Does a module's code refer to parts of its own data by address? What it may write there, the file cannot tell.
using System.Buffers.Binary;

namespace LivePatchd.Core.Elf;

internal readonly record struct DataRegion(Place Start, long Length);

internal static class CodeReferences
{
    private const int RelocationSize = 24;

    // R_X86_64_PC32 and R_X86_64_PLT32.
    private const uint RelativeToNext = 2;
    private const uint RelativeToNextCall = 4;

    /// <summary>
    /// Code for x86-64 names the address of each field it uses. Elsewhere it names a base and adds to it in a register, so a field's use leaves no trace.
    /// </summary>
    internal static bool AreVisible(ushort machine) => machine == ElfMachine.X64;

    /// <summary>True as well when it cannot be ruled out.</summary>
    internal static bool Reach(ElfPointers data, IEnumerable<DataRegion> regions)
    {
        var sorted = regions.OrderBy(static r => r.Start.Section).ThenBy(static r => r.Start.Offset).ToArray();
        var sections = data.Sections;
        for (var i = 1; i < sections.Count; i++)
        {
            var section = sections[i];
            if (section.Type != ElfSection.Relocations || section.Info >= sections.Count || (sections[(int)section.Info].Flags & ElfSection.Execute) == 0)
                continue;
            var content = section.Content;
            if (!data.Budget.TakeCodeRelocations(content.Length / RelocationSize))
                return true;
            for (; content.Length >= RelocationSize; content = content[RelocationSize..])
            {
                if (Reaches(data.Symbols, content, sorted))
                    return true;
            }
        }
        return false;
    }

    private static bool Reaches(ElfSymbols symbols, ReadOnlySpan<byte> relocation, DataRegion[] sorted)
    {
        var type = BinaryPrimitives.ReadUInt32LittleEndian(relocation[8..]);
        var symbol = BinaryPrimitives.ReadUInt32LittleEndian(relocation[12..]);
        var addend = BinaryPrimitives.ReadInt64LittleEndian(relocation[16..]);
        if (symbol >= symbols.Count || symbols.Value((int)symbol) > int.MaxValue || addend is < int.MinValue or > int.MaxValue)
            return false;
        var first = (long)symbols.Value((int)symbol) + addend;
        var last = first;
        if (type is RelativeToNext or RelativeToNextCall)
        {
            // Counted from the field's end, and an operand of up to four bytes may follow it.
            first += 4;
            last += 8;
        }
        var region = FindLast(sorted, new Place(symbols.Section((int)symbol), last));
        return region >= 0 && sorted[region].Start.Offset + sorted[region].Length > first;
    }

    // The last region that begins at or before the place, in its section.
    private static int FindLast(DataRegion[] sorted, Place place)
    {
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            var start = sorted[middle].Start;
            if (start.Section < place.Section || (start.Section == place.Section && start.Offset <= place.Offset))
                low = middle + 1;
            else
                high = middle;
        }
        return low > 0 && sorted[low - 1].Start.Section == place.Section ? low - 1 : -1;
    }
}
