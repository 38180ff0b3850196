// A zero-terminated array of the kernel's structs in a module's data, whose stride depends on the kernel's configuration and is derived.
namespace LivePatchd.Core.Elf;

/// <summary>One of the two structs: what its author fills in comes first; the rest belongs to the kernel and is zero in the file.</summary>
/// <param name="External">Bytes of the fields that the author fills in.</param>
/// <param name="Usual">Size of the whole struct on a 64-bit kernel without debugging of kobjects: Linux 5.1 to 6.18.</param>
internal readonly record struct StructShape(int External, int Usual)
{
    internal static readonly StructShape Function = new(24, 152);
    internal static readonly StructShape Object = new(56, 168);

    // A kobject and two list heads follow in both.
    internal int Smallest => External + 96;
}

internal delegate bool ElementTest(ElfPointers data, Place at);

internal static class KernelArray
{
    private const int Largest = 1024;

    /// <summary>Stride and number of elements; null unless every stride that explains the bytes gives the same number of elements.</summary>
    internal static (int Stride, int Count)? Find(ElfPointers data, SymbolSizes sizes, Place start, StructShape shape, ElementTest isElement)
    {
        // An array of the terminator alone is all zeros, and lies where zeros take no room in the file.
        if (data.Sections[start.Section].Type == ElfSection.NoBits)
            return (shape.Usual, 0);
        var extent = sizes.At(start);
        // The first pointer behind the first element belongs to the second, if there is one: to its first or second field.
        var next = data.Relocations(start.Section)?.FirstFrom(start.Offset + shape.External);
        var distance = next is { } pointer && pointer.Offset - (ulong)start.Offset <= Largest ? (int)(pointer.Offset - (ulong)start.Offset) : 0;
        ReadOnlySpan<int> strides = [shape.Usual, extent is { } size and <= 2 * Largest ? (int)size / 2 : 0, distance, distance - ElfPointers.Size];

        (int Stride, int Count)? found = null;
        foreach (var stride in strides)
        {
            if (stride < shape.Smallest || stride > Largest || stride % ElfPointers.Size != 0 || extent % stride is not (null or 0))
                continue;
            if (Count(data, start, extent, stride, shape.External, isElement) is not { } count)
                continue;
            if (found is { } other && other.Count != count)
                return null;
            found ??= (stride, count);
        }
        return found;
    }

    // Null when the bytes are no such array of this stride.
    private static int? Count(ElfPointers data, Place start, long? extent, int stride, int external, ElementTest isElement)
    {
        for (var count = 0; data.Budget.TakeStep(); count++)
        {
            var at = start.Plus((long)count * stride);
            var left = extent - ((long)count * stride);
            if (left < stride)
                return null;
            if (data.IsBlank(at, stride))
                return left is null || (data.Budget.TakeScan(left.Value) && data.IsBlank(at, left.Value)) ? count : null;
            if (!data.IsBlank(at.Plus(external), stride - external) || !isElement(data, at))
                return null;
        }
        return null;
    }
}
