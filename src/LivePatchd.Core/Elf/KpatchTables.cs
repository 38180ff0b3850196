// The tables of kpatch-build: .kpatch.funcs, whose names are pointers into .kpatch.strings, and four sections of callbacks.
namespace LivePatchd.Core.Elf;

internal static class KpatchTables
{
    // struct kpatch_patch_func: seven words on a 64-bit machine.
    private const int EntrySize = 56;
    private const int PositionOffset = 32;
    private const int NameOffset = 40;
    private const int ObjectOffset = 48;

    // struct kpatch_*_callback: the function and the object's name.
    private const int CallbackSize = 16;

    internal static TablesResult Read(ElfPointers data)
    {
        if (data.Sections.Find(".kpatch.funcs"u8, out _) is var found && found == 0)
            return default;
        if (data.Sections.IndexOf(".kpatch.funcs"u8) is not { } section)
            return TablesResult.Unclear("there are several .kpatch.funcs sections");
        var length = data.LengthOf(section);
        if (length % EntrySize != 0)
            return TablesResult.Unclear("the size of .kpatch.funcs is not a whole number of entries");

        var objects = new ObjectCollector(data.Budget);
        for (var at = new Place(section, 0); at.Offset < length; at = at.Plus(EntrySize))
        {
            if (!ReadFunction(data, at, objects))
                return TablesResult.Unclear(data.Budget, $"entry {at.Offset / EntrySize} of .kpatch.funcs makes no sense");
        }
        if (ReadCallbacks(data, ".kpatch.callbacks.pre_patch"u8, PatchCallbacks.PrePatch, objects)
            && ReadCallbacks(data, ".kpatch.callbacks.post_patch"u8, PatchCallbacks.PostPatch, objects)
            && ReadCallbacks(data, ".kpatch.callbacks.pre_unpatch"u8, PatchCallbacks.PreUnpatch, objects)
            && ReadCallbacks(data, ".kpatch.callbacks.post_unpatch"u8, PatchCallbacks.PostUnpatch, objects))
        {
            // Whether it replaces others is a constant in the module's code.
            return new TablesResult(new PatchTables(PatchTablesSource.KpatchBuild, objects.Objects(), Replace: null, States: []), null);
        }
        return TablesResult.Unclear(data.Budget, "the .kpatch.callbacks sections make no sense");
    }

    private static bool ReadFunction(ElfPointers data, Place at, ObjectCollector objects) =>
        data.Budget.TakeStep()
        && data.IsPointer(at)
        && data.TryNumber(at.Plus(PositionOffset), ElfPointers.Size, out var position)
        && data.TakeName(at.Plus(NameOffset), ElfPointers.MaxFunctionName) is { } name
        && data.TakeObjectName(at.Plus(ObjectOffset)) is { } objectName
        && objects.Add(objectName, new PatchedFunction(name, position));

    private static bool ReadCallbacks(ElfPointers data, ReadOnlySpan<byte> sectionName, PatchCallbacks kind, ObjectCollector objects)
    {
        if (data.Sections.IndexOf(sectionName) is not { } section)
            return true;
        var length = data.LengthOf(section);
        var at = new Place(section, 0);
        for (; at.Offset + CallbackSize <= length && data.IsPointer(at); at = at.Plus(CallbackSize))
        {
            if (!data.Budget.TakeStep()
                || data.TakeObjectName(at.Plus(ElfPointers.Size)) is not { } objectName
                || !objects.Add(objectName, kind))
            {
                return false;
            }
        }
        // The linker script pads these sections with zeros, so that an empty one is kept.
        return data.IsBlank(at, length - at.Offset);
    }
}
