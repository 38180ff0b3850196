// Turns this process into another program, with one descriptor handed down or none.
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Ctl.Files;

internal static partial class Exec
{
    private const int Duplicate = 0;
    private const int FirstFree = 3;
    private const int PipeSignal = 13;

    /// <summary>The program has the descriptor as long as it, or anything it starts, runs and does not close it.</summary>
    /// <returns>Only when that fails: why.</returns>
    public static string Become(string[] command, SafeFileHandle held)
    {
        // The duplicate lacks the mark that closes the original on exec.
        if (fcntl(held, Duplicate, FirstFree) < 0)
            return Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
        return Become(command);
    }

    /// <returns>Only when that fails: why.</returns>
    public static string Become(string[] command)
    {
        // The runtime ignores it, which the program would inherit.
        signal(PipeSignal, 0);
        _ = execvp(command[0], [.. command, null]);
        return Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle fd, int operation, int argument);

    [LibraryImport("libc")]
    private static partial nint signal(int number, nint handler);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execvp(string file, string?[] arguments);
}
