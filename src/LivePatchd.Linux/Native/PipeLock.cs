// A pipe as a token: whoever holds its end holds the lock, and letting go, dying included, is seen at the other end.
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Native;

/// <param name="Watched">Stays here; hangs up when nobody has the token any more.</param>
/// <param name="Token">For the holder. This process must close its own copy once the holder has one.</param>
public sealed record PipeLock(SafeFileHandle Watched, SafeFileHandle Token) : IDisposable
{
    public static unsafe SysResult<PipeLock> Create()
    {
        var ends = stackalloc int[2];
        return LibC.pipe2(ends, LibC.NonBlock | LibC.CloseOnExec) == 0
            ? SysResult.Ok(new PipeLock(new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true)))
            : Sys.Fail<PipeLock>("pipe2");
    }

    public void Dispose()
    {
        Watched.Dispose();
        Token.Dispose();
    }
}
