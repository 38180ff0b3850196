// One daemon per host: a lock that the kernel releases with the process, however it ends.
using System.Globalization;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

public sealed class InstanceLock(SystemRoot root) : IDisposable
{
    private const string RunDirectory = "/run/livepatchd";
    private const uint DirectoryMode = 0x1ED; // 0755
    private const uint FileMode = 0x1A4; // 0644

    private SafeFileHandle? held;

    /// <summary>EAGAIN when another process (or another handle) holds it.</summary>
    public SysResult TryAcquire()
    {
        if (held is not null)
            return SysResult.Success;
        var made = Sys.MakeDirectory(root.Path("/run"), DirectoryMode);
        if (made.IsOk)
            made = Sys.MakeDirectory(root.Path(RunDirectory), DirectoryMode);
        if (!made.IsOk)
            return made;
        var opened = Sys.Open(root.Path(RunDirectory + "/lock"), LibC.ReadWrite | LibC.Create | LibC.NoFollow | LibC.NonBlock, FileMode);
        if (!opened.IsOk)
            return opened.WithoutValue;
        if (LibC.flock(opened.Value, LibC.LockExclusive | LibC.LockNonBlock) != 0)
        {
            var failed = Sys.Fail("flock");
            opened.Value.Dispose();
            return failed;
        }
        held = opened.Value;
        // For people only: the lock is the flock, and a stale number says nothing.
        if (LibC.ftruncate(held, 0) == 0)
            _ = Sys.Write(held, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
        return SysResult.Success;
    }

    public void Dispose() => held?.Dispose();
}
