// The memory layout of one sd_bus_vtable entry on 64-bit machines: a word of type and flags, then six pointer-sized fields.
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct VtableEntry
{
    public ulong TypeAndFlags;
    public fixed long Fields[6];

    internal const ulong Unprivileged = 1UL << 2;

    internal static VtableEntry Of(char type, ulong flags, params ReadOnlySpan<nint> fields)
    {
        var entry = new VtableEntry { TypeAndFlags = type | (flags << 8) };
        for (var i = 0; i < fields.Length; i++)
        {
            entry.Fields[i] = fields[i];
        }

        return entry;
    }
}
