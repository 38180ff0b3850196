// The processor architecture this program runs on, as ELF numbers it.
using System.Runtime.InteropServices;
using LivePatchd.Core.Elf;

namespace LivePatchd.Linux.Store;

internal static class HostMachine
{
    internal static ushort Elf => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => ElfMachine.X64,
        Architecture.Arm64 => ElfMachine.Arm64,
        var other => throw new PlatformNotSupportedException(other.ToString()),
    };
}
