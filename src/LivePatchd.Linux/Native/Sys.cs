// Small safe wrappers over LibC: a value or the errno, EINTR handled.
using System.Runtime.InteropServices;
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Native;

internal static class Sys
{
    internal static Errno LastError() => (Errno)Marshal.GetLastPInvokeError();
}
