// A NULL-terminated array of C strings for the time of one call.
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

internal readonly unsafe ref struct NativeStrings : IDisposable
{
    private readonly int _count;

    internal NativeStrings(IReadOnlyList<string> texts)
    {
        _count = texts.Count;
        Pointer = (nint*)NativeMemory.AllocZeroed((nuint)_count + 1, (nuint)sizeof(nint));
        for (var i = 0; i < _count; i++)
        {
            Pointer[i] = Marshal.StringToCoTaskMemUTF8(texts[i]);
        }
    }

    internal nint* Pointer { get; }

    public void Dispose()
    {
        for (var i = 0; i < _count; i++)
        {
            Marshal.FreeCoTaskMem(Pointer[i]);
        }

        NativeMemory.Free(Pointer);
    }
}
