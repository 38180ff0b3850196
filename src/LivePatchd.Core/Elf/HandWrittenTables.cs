// The tables of a patch written by hand: struct klp_patch and what it points to, recognised by layout and claimed only when all of it fits.
using System.Collections.Immutable;

namespace LivePatchd.Core.Elf;

internal static class HandWrittenTables
{
    private const int ObjectsOffset = 8;
    private const int StatesOffset = 16;
    private const int ReplaceOffset = 24;
    private const int InternalOffset = 32;

    // A list head, a kobject and another list head: in every kernel so far.
    private const int SmallestPatch = InternalOffset + 96;
    private const int LargestPatch = 1024;

    private const int StateSize = 24;
    private const int MaxStates = 1_000;
    private const int MaxCandidates = 16;

    internal static TablesResult Read(ElfPointers data)
    {
        if (data.Symbols.Find("klp_enable_patch"u8) is null)
            return TablesResult.Unclear("it does not call klp_enable_patch");
        if (data.Sections.IndexOf(".gnu.linkonce.this_module"u8) is not { } thisModule)
            return TablesResult.Unclear("it has no one module structure");

        var sizes = SymbolSizes.Read(data.Symbols);
        TablesResult? found = null;
        foreach (var candidate in Candidates(data, new Place(thisModule, 0)))
        {
            if (ReadPatch(data, sizes, candidate) is not { } tables)
                continue;
            if (found is not null)
                return TablesResult.Unclear("it holds several structures that may be its struct klp_patch");
            found = new TablesResult(tables, null);
        }
        return found ?? TablesResult.Unclear(data.Budget, "nothing in its data is for sure its struct klp_patch");
    }

    // Every place in writable data that is made to point to the module itself; the patch begins so.
    private static List<Place> Candidates(ElfPointers data, Place thisModule)
    {
        var candidates = new List<Place>();
        for (var i = 1; i < data.Sections.Count && candidates.Count < MaxCandidates; i++)
        {
            if (!IsData(data, i) || data.Relocations(i) is not { } table)
                continue;
            foreach (var relocation in table.Entries)
            {
                if (relocation.Offset <= int.MaxValue && data.TryTarget(relocation, out var target) && target == thisModule && candidates.Count < MaxCandidates)
                    candidates.Add(new Place(i, (long)relocation.Offset));
            }
        }
        return candidates;
    }

    private static bool IsData(ElfPointers data, int section) =>
        (data.Sections[section].Flags & (ElfSection.Write | ElfSection.Execute)) == ElfSection.Write
        && data.Sections[section].Name.StartsWith(".data"u8);

    private static PatchTables? ReadPatch(ElfPointers data, SymbolSizes sizes, Place at)
    {
        var size = sizes.At(at) ?? SmallestPatch;
        if (size is < SmallestPatch or > LargestPatch || !data.IsBlank(at.Plus(InternalOffset), size - InternalOffset))
            return null;
        if (!data.TryNumber(at.Plus(ReplaceOffset), ElfPointers.Size, out var replace) || replace > 1)
            return null;
        if (!data.TryFollow(at.Plus(ObjectsOffset), out var objects) || ReadStates(data, at.Plus(StatesOffset)) is not { } states)
            return null;
        if (KernelArray.Find(data, sizes, objects, StructShape.Object, IsObject) is not { Count: > 0 } array)
            return null;

        var regions = new List<DataRegion>
        {
            new(at.Plus(ObjectsOffset), 1),
            new(at.Plus(StatesOffset), 1),
            new(objects, (long)array.Count * array.Stride),
        };
        var read = ImmutableArray.CreateBuilder<PatchedObject>();
        for (var i = 0; i < array.Count; i++)
        {
            if (ReadObject(data, sizes, objects.Plus((long)i * array.Stride), regions) is not { } one)
                return null;
            read.Add(one);
        }
        if (CodeReferences.Reach(data, regions))
            return null;
        // Some patches take it from a module parameter.
        bool? isReplace = CodeReferences.AreVisible(data.Machine) && !CodeReferences.Reach(data, [new(at.Plus(ReplaceOffset), 1)]) ? replace == 1 : null;
        return new PatchTables(PatchTablesSource.HandWritten, read.ToImmutable(), isReplace, states);
    }

    private static PatchedObject? ReadObject(ElfPointers data, SymbolSizes sizes, Place at, List<DataRegion> regions)
    {
        if (!data.Budget.TakeObject() || ObjectFields.TakeName(data, at) is not { } name || ObjectFields.Callbacks(data, at) is not { } callbacks)
            return null;
        if (!data.TryFollow(at.Plus(ElfPointers.Size), out var functions) || KernelArray.Find(data, sizes, functions, StructShape.Function, IsFunction) is not { } array)
            return null;
        regions.Add(new DataRegion(functions, (long)array.Count * array.Stride));
        var read = ImmutableArray.CreateBuilder<PatchedFunction>();
        for (var i = 0; i < array.Count; i++)
        {
            var function = functions.Plus((long)i * array.Stride);
            if (!data.Budget.TakeFunction()
                || !data.TryNumber(function.Plus(2 * ElfPointers.Size), ElfPointers.Size, out var position)
                || data.TakeName(function, ElfPointers.MaxFunctionName) is not { } functionName)
            {
                return null;
            }
            read.Add(new PatchedFunction(functionName, position));
        }
        return new PatchedObject(name, read.ToImmutable(), callbacks) { IsNamedVmlinux = name == PatchedObject.Vmlinux && !data.IsBlank(at, ElfPointers.Size) };
    }

    private static bool IsObject(ElfPointers data, Place at) =>
        (data.IsBlank(at, ElfPointers.Size) || !data.ObjectNameAt(at).IsEmpty)
        && ObjectFields.Callbacks(data, at) is not null
        && data.IsBlank(at.Plus(StructShape.Object.External - ElfPointers.Size), ElfPointers.Size)
        && data.TryFollow(at.Plus(ElfPointers.Size), out var functions)
        && (data.Sections[functions.Section].Flags & (ElfSection.Write | ElfSection.Execute)) == ElfSection.Write;

    private static bool IsFunction(ElfPointers data, Place at) =>
        !data.NameAt(at, ElfPointers.MaxFunctionName).IsEmpty
        && data.TryFollow(at.Plus(ElfPointers.Size), out var code)
        && (data.Sections[code.Section].Flags & ElfSection.Execute) != 0
        && data.TryNumber(at.Plus(2 * ElfPointers.Size), ElfPointers.Size, out var position)
        && position <= uint.MaxValue;

    // struct klp_state: id, version, data; an id of zero ends the array.
    private static ImmutableArray<SystemState>? ReadStates(ElfPointers data, Place field)
    {
        if (data.IsBlank(field, ElfPointers.Size))
            return [];
        if (!data.TryFollow(field, out var at))
            return null;
        var states = ImmutableArray.CreateBuilder<SystemState>();
        for (; states.Count < MaxStates && data.TryNumber(at, ElfPointers.Size, out var id); at = at.Plus(StateSize))
        {
            if (id == 0)
                return states.ToImmutable();
            if (!data.TryNumber(at.Plus(8), sizeof(uint), out var version) || !data.IsPointerOrNull(at.Plus(16)))
                return null;
            states.Add(new SystemState(id, (uint)version));
        }
        return null;
    }
}
