// The fields that struct klp_object and klp-build's struct klp_object_ext begin with: name, funcs, four callbacks.
namespace LivePatchd.Core.Elf;

internal static class ObjectFields
{
    internal const int CallbacksOffset = 2 * ElfPointers.Size;

    /// <summary>Null when the field is neither a null pointer, which means the kernel itself, nor leads to a name.</summary>
    internal static string? TakeName(ElfPointers data, Place at) =>
        data.IsBlank(at, ElfPointers.Size) ? PatchedObject.Vmlinux : data.TakeObjectName(at);

    /// <summary>Null when one of the four is neither null nor a pointer.</summary>
    internal static PatchCallbacks? Callbacks(ElfPointers data, Place at)
    {
        var callbacks = PatchCallbacks.None;
        for (var i = 0; i < 4; i++)
        {
            var field = at.Plus(CallbacksOffset + (i * ElfPointers.Size));
            if (data.IsPointer(field))
                callbacks |= (PatchCallbacks)(1 << i);
            else if (!data.IsBlank(field, ElfPointers.Size))
                return null;
        }
        return callbacks;
    }
}
