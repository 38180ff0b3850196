// A file without a name that nobody can change any more: what is handed to another process as a descriptor.
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Native;

public static class SealedMemory
{
    private const int Seals = LibC.SealSeal | LibC.SealShrink | LibC.SealGrow | LibC.SealWrite;

    /// <param name="name">Shown in /proc/PID/fd of its holders.</param>
    /// <returns>At its beginning, with every seal set: neither its holder nor this process can write to it.</returns>
    public static SysResult<SafeFileHandle> Of(string name, ReadOnlySpan<byte> content)
    {
        const uint Flags = LibC.MemoryCloseOnExec | LibC.MemoryAllowSealing;
        var fd = LibC.memfd_create(name, Flags | LibC.MemoryNoExecSeal);
        // Kernels before 6.3 do not know the flag; later ones may refuse to do without it (vm.memfd_noexec).
        if (fd < 0 && Sys.LastError() is Errno.EINVAL)
            fd = LibC.memfd_create(name, Flags);
        if (fd < 0)
            return Sys.Fail<SafeFileHandle>("memfd_create");
        var file = new SafeFileHandle(fd, ownsHandle: true);
        var filled = Sys.Write(file, content);
        if (filled.IsOk && LibC.fcntl(file, LibC.AddSeals, Seals) != 0)
            filled = Sys.Fail("fcntl");
        if (filled.IsOk && LibC.lseek(file, 0, LibC.SeekSet) < 0)
            filled = Sys.Fail("lseek");
        if (filled.IsOk)
            return SysResult.Ok(file);
        file.Dispose();
        return SysResult.Fail<SafeFileHandle>(filled.Errno, filled.Call!);
    }
}
