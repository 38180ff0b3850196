// x
namespace LivePatchd.Core.Elf;

public static class ModuleInspector
{
    public static InspectResult Inspect(ReadOnlySpan<byte> image, ushort machine) => throw new NotImplementedException();
}
