// Lets a test make one system call fail. Nothing in production sets it: no option, no environment variable, no file.
using System.Runtime.InteropServices;
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Native;

internal static class CallFault
{
    /// <summary>Asked before each call, with its name; any answer but None is the call's errno, and the call is not made.</summary>
    internal static Func<string, Errno>? Inject { get; set; }

    internal static bool Hits(string call)
    {
        if (Inject is not { } inject || inject(call) is not (var errno and not Errno.None))
            return false;
        Marshal.SetLastPInvokeError((int)errno);
        return true;
    }
}
