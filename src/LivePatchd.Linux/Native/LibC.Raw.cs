// The calls behind LibC.Guarded.cs as the C library has them; elsewhere only for what must not be made to fail.
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Native;

internal static partial class LibC
{
    internal static partial class Raw
    {
        [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int open(string path, int flags, uint mode);

        [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int openat(SafeHandle directory, string path, int flags, uint mode);

        [LibraryImport("libc", SetLastError = true)]
        internal static unsafe partial nint read(SafeHandle fd, byte* buffer, nint size);

        [LibraryImport("libc", SetLastError = true)]
        internal static unsafe partial nint pread(SafeHandle fd, byte* buffer, nint size, long offset);

        [LibraryImport("libc", SetLastError = true)]
        internal static unsafe partial nint write(SafeHandle fd, byte* buffer, nint size);

        [LibraryImport("libc", SetLastError = true)]
        internal static partial int ftruncate(SafeHandle fd, long length);

        [LibraryImport("libc", SetLastError = true)]
        internal static partial int fsync(SafeHandle fd);

        [LibraryImport("libc", SetLastError = true)]
        internal static partial int fdatasync(SafeHandle fd);

        [LibraryImport("libc", SetLastError = true)]
        internal static partial int fchmod(SafeHandle fd, uint mode);

        [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int mkdir(string path, uint mode);

        [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int rename(string from, string to);

        [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int unlink(string path);

        [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int rmdir(string path);

        [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int mkdirat(SafeHandle directory, string path, uint mode);

        [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int renameat(SafeHandle from, string name, SafeHandle to, string newName);

        [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int unlinkat(SafeHandle directory, string path, int flags);

        [LibraryImport("libc", SetLastError = true)]
        internal static partial int flock(SafeHandle fd, int operation);

        [LibraryImport("libc", SetLastError = true)]
        internal static partial int posix_fadvise(SafeHandle fd, long offset, long length, int advice);

        [LibraryImport("libc", SetLastError = true)]
        internal static partial nint mmap(nint address, nuint length, int protection, int flags, int fd, long offset);

        [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static unsafe partial int statx(int directory, string path, int flags, uint mask, StatX* result);

        [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static unsafe partial int statx(SafeHandle directory, string path, int flags, uint mask, StatX* result);

        [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial nint syscall_finit_module(nint number, SafeFileHandle module, string parameters, nint flags);

        [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial nint syscall_delete_module(nint number, string name, nint flags);

        [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static unsafe partial nint syscall_openat2(nint number, SafeHandle directory, string path, OpenHow* how, nint size);

        [LibraryImport("libc", SetLastError = true)]
        internal static partial int inotify_init1(int flags);
    }
}
