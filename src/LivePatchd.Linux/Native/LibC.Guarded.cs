// The calls that touch files and modules, each of which a test can make fail (CallFault); in production nothing stands before them.
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Native;

internal static partial class LibC
{
    internal static int open(string path, int flags, uint mode) =>
        CallFault.Hits("open") ? -1 : Raw.open(path, flags, mode);

    internal static int openat(SafeHandle directory, string path, int flags, uint mode) =>
        CallFault.Hits("openat") ? -1 : Raw.openat(directory, path, flags, mode);

    internal static unsafe nint read(SafeHandle fd, byte* buffer, nint size) =>
        CallFault.Hits("read") ? -1 : Raw.read(fd, buffer, size);

    internal static unsafe nint pread(SafeHandle fd, byte* buffer, nint size, long offset) =>
        CallFault.Hits("pread") ? -1 : Raw.pread(fd, buffer, size, offset);

    internal static unsafe nint write(SafeHandle fd, byte* buffer, nint size) =>
        CallFault.Hits("write") ? -1 : Raw.write(fd, buffer, size);

    internal static int ftruncate(SafeHandle fd, long length) =>
        CallFault.Hits("ftruncate") ? -1 : Raw.ftruncate(fd, length);

    internal static int fsync(SafeHandle fd) =>
        CallFault.Hits("fsync") ? -1 : Raw.fsync(fd);

    internal static int fdatasync(SafeHandle fd) =>
        CallFault.Hits("fdatasync") ? -1 : Raw.fdatasync(fd);

    internal static int fchmod(SafeHandle fd, uint mode) =>
        CallFault.Hits("fchmod") ? -1 : Raw.fchmod(fd, mode);

    internal static int mkdir(string path, uint mode) =>
        CallFault.Hits("mkdir") ? -1 : Raw.mkdir(path, mode);

    internal static int rename(string from, string to) =>
        CallFault.Hits("rename") ? -1 : Raw.rename(from, to);

    internal static int unlink(string path) =>
        CallFault.Hits("unlink") ? -1 : Raw.unlink(path);

    internal static int rmdir(string path) =>
        CallFault.Hits("rmdir") ? -1 : Raw.rmdir(path);

    internal static int mkdirat(SafeHandle directory, string path, uint mode) =>
        CallFault.Hits("mkdirat") ? -1 : Raw.mkdirat(directory, path, mode);

    internal static int renameat(SafeHandle from, string name, SafeHandle to, string newName) =>
        CallFault.Hits("renameat") ? -1 : Raw.renameat(from, name, to, newName);

    internal static int unlinkat(SafeHandle directory, string path, int flags) =>
        CallFault.Hits("unlinkat") ? -1 : Raw.unlinkat(directory, path, flags);

    internal static int flock(SafeHandle fd, int operation) =>
        CallFault.Hits("flock") ? -1 : Raw.flock(fd, operation);

    internal static int posix_fadvise(SafeHandle fd, long offset, long length, int advice) =>
        CallFault.Hits("posix_fadvise") ? -1 : Raw.posix_fadvise(fd, offset, length, advice);

    internal static nint mmap(nint address, nuint length, int protection, int flags, int fd, long offset) =>
        CallFault.Hits("mmap") ? -1 : Raw.mmap(address, length, protection, flags, fd, offset);

    internal static unsafe int statx(int directory, string path, int flags, uint mask, StatX* result) =>
        CallFault.Hits("statx") ? -1 : Raw.statx(directory, path, flags, mask, result);

    internal static unsafe int statx(SafeHandle directory, string path, int flags, uint mask, StatX* result) =>
        CallFault.Hits("statx") ? -1 : Raw.statx(directory, path, flags, mask, result);

    internal static nint syscall_finit_module(nint number, SafeFileHandle module, string parameters, nint flags) =>
        CallFault.Hits("finit_module") ? -1 : Raw.syscall_finit_module(number, module, parameters, flags);

    internal static nint syscall_delete_module(nint number, string name, nint flags) =>
        CallFault.Hits("delete_module") ? -1 : Raw.syscall_delete_module(number, name, flags);

    internal static unsafe nint syscall_openat2(nint number, SafeHandle directory, string path, OpenHow* how, nint size) =>
        CallFault.Hits("openat2") ? -1 : Raw.syscall_openat2(number, directory, path, how, size);

    internal static int inotify_init1(int flags) =>
        CallFault.Hits("inotify_init1") ? -1 : Raw.inotify_init1(flags);
}
