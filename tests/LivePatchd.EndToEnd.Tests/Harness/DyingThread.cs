// Ends the calling thread as the kernel ends one that oopses: at once, and without a word to the runtime.
using System.Runtime.InteropServices;

namespace LivePatchd.EndToEnd.Tests;

internal static partial class DyingThread
{
    public static void End() => Syscall(RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 93 : 60, 0);

    /// <summary>exit(2) of this thread alone, not exit_group.</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long Syscall(long number, long status);
}
