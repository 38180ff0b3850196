// The tables of the kernel's klp-build: an array of struct klp_object_ext, each with an array of struct klp_func_ext.
namespace LivePatchd.Core.Elf;

internal static class KlpBuildTables
{
    private const int ObjectSize = 64;
    private const int FlagOffset = 48;
    private const int CountOffset = 56;
    private const int FunctionSize = 24;

    internal static TablesResult Read(ElfPointers data)
    {
        if (Bounds(data, out var isOdd) is not { } bounds)
            return isOdd ? TablesResult.Unclear("the bounds of klp-build's objects make no sense") : default;

        var objects = new ObjectCollector(data.Budget);
        for (var at = bounds.Start; at.Offset < bounds.End; at = at.Plus(ObjectSize))
        {
            if (!ReadObject(data, at, objects))
                return TablesResult.Unclear(data.Budget, $"object {(at.Offset - bounds.Start.Offset) / ObjectSize} of klp-build's table makes no sense");
        }
        // Whether it replaces others is a constant in the module's code.
        return new TablesResult(new PatchTables(PatchTablesSource.KlpBuild, objects.Objects(), Replace: null, States: []), null);
    }

    // By symbols in Linux 6.19; later kernels look the section up by its name.
    private static (Place Start, long End)? Bounds(ElfPointers data, out bool isOdd)
    {
        isOdd = false;
        if (Defined(data, "__start_klp_objects"u8) is { } start && Defined(data, "__stop_klp_objects"u8) is { } stop)
        {
            isOdd = start.Section != stop.Section || stop.Offset < start.Offset || stop.Offset > data.LengthOf(start.Section)
                || (stop.Offset - start.Offset) % ObjectSize != 0;
            // A build with other patches in it has the symbols with nothing between them.
            return isOdd || start.Offset == stop.Offset ? null : (start, stop.Offset);
        }
        if ((data.Sections.IndexOf(".init.klp_objects"u8) ?? data.Sections.IndexOf("__klp_objects"u8)) is not { } section)
            return null;
        var length = data.LengthOf(section);
        isOdd = length % ObjectSize != 0;
        return isOdd || length == 0 ? null : (new Place(section, 0), length);
    }

    private static Place? Defined(ElfPointers data, ReadOnlySpan<byte> name) =>
        data.Symbols.Find(name) is { } symbol
        && data.Symbols.Section(symbol) is > ElfSymbols.Undefined and < ElfSymbols.FirstReserved and var section
        && section < data.Sections.Count
        && data.Symbols.Value(symbol) is <= int.MaxValue and var value
            ? new Place(section, (long)value)
            : null;

    private static bool ReadObject(ElfPointers data, Place at, ObjectCollector objects)
    {
        if (!data.Budget.TakeStep() || ObjectFields.TakeName(data, at) is not { } name || ObjectFields.Callbacks(data, at) is not { } callbacks)
            return false;
        if (!data.TryNumber(at.Plus(FlagOffset), ElfPointers.Size, out _) || !data.TryNumber(at.Plus(CountOffset), sizeof(uint), out var count))
            return false;
        if (!objects.Add(name, callbacks))
            return false;
        var funcs = at.Plus(ElfPointers.Size);
        if (count == 0)
            return data.IsPointerOrNull(funcs);
        if (!data.TryFollow(funcs, out var function))
            return false;
        for (; count > 0; count--, function = function.Plus(FunctionSize))
        {
            if (!ReadFunction(data, function, name, objects))
                return false;
        }
        return true;
    }

    private static bool ReadFunction(ElfPointers data, Place at, string objectName, ObjectCollector objects) =>
        data.Budget.TakeStep()
        && data.IsPointer(at.Plus(ElfPointers.Size))
        && data.TryNumber(at.Plus(2 * ElfPointers.Size), ElfPointers.Size, out var position)
        && data.TakeName(at, ElfPointers.MaxFunctionName) is { } name
        && objects.Add(objectName, new PatchedFunction(name, position));
}
