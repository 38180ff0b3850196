// The processor architectures a module can be built for, by their ELF numbers.
using System.Globalization;

namespace LivePatchd.Core.Elf;

public static class ElfMachine
{
    public const ushort Ppc64 = 21;
    public const ushort X64 = 62;
    public const ushort Arm64 = 183;
    public const ushort RiscV = 243;
    public const ushort LoongArch = 258;

    /// <summary>The architecture's name as people write it, or its number.</summary>
    public static string Name(ushort machine) => machine switch
    {
        Ppc64 => "ppc64le",
        X64 => "x86-64",
        Arm64 => "arm64",
        RiscV => "riscv64",
        LoongArch => "loongarch64",
        _ => string.Create(CultureInfo.InvariantCulture, $"machine {machine}"),
    };

    /// <summary>The type of a relocation that writes a whole 64-bit pointer; null where it is not known here.</summary>
    internal static uint? PointerRelocation(ushort machine) => machine switch
    {
        Ppc64 => 38,
        X64 => 1,
        Arm64 => 257,
        RiscV or LoongArch => 2,
        _ => null,
    };
}
