// The processor architectures a module can be built for, by their ELF numbers.
namespace LivePatchd.Core.Elf;

public static class ElfMachine
{
    public const ushort X64 = 62;
    public const ushort Arm64 = 183;
}
