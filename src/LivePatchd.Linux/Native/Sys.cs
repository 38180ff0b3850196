// Safe wrappers over LibC: a value or the errno, EINTR and short counts handled.
using System.Runtime.InteropServices;
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Native;

internal static class Sys
{
    private const uint BasicStats = 0x7FF;
    private const uint MountIdStat = 0x1000;

    // openat2 answers EAGAIN when a rename elsewhere kept it from proving that the path stays beneath.
    private const int MaxAttempts = 16;

    internal static Errno LastError() => (Errno)Marshal.GetLastPInvokeError();

    internal static SysResult Fail(string call) => SysResult.Fail(LastError(), call);

    internal static SysResult<T> Fail<T>(string call) => SysResult.Fail<T>(LastError(), call);

    /// <summary>Always close-on-exec.</summary>
    internal static SysResult<SafeFileHandle> Open(string path, int flags, uint mode = 0)
    {
        int fd;
        do
        {
            fd = LibC.open(path, flags | LibC.CloseOnExec, mode);
        }
        while (fd < 0 && LastError() == Errno.EINTR);
        return Handle(fd, "open");
    }

    /// <summary>
    /// Opens an entry of a directory that must not be, or lead through, a link. Where the kernel lacks openat2 (before 5.6, or filtered),
    /// O_NOFOLLOW on a name without slashes says the same.
    /// </summary>
    /// <param name="crossMounts">False: nothing that is mounted over the entry is opened either (EXDEV).</param>
    internal static unsafe SysResult<SafeFileHandle> OpenBeneath(SafeFileHandle directory, string name, int flags, bool crossMounts = true)
    {
        if (name.Contains('/', StringComparison.Ordinal) || name is "." or "..")
            return SysResult.Fail<SafeFileHandle>(Errno.EINVAL, "openat2");
        var all = flags | LibC.NoFollow | LibC.CloseOnExec;
        var how = new LibC.OpenHow
        {
            Flags = (ulong)all,
            Resolve = LibC.ResolveBeneath | LibC.ResolveNoSymlinks | LibC.ResolveNoMagicLinks | (crossMounts ? 0 : LibC.ResolveNoMounts),
        };
        int fd;
        var attempts = 0;
        do
        {
            fd = (int)LibC.syscall_openat2(LibC.OpenAt2Number, directory, name, &how, sizeof(LibC.OpenHow));
        }
        while (fd < 0 && LastError() is Errno.EINTR or Errno.EAGAIN && ++attempts < MaxAttempts);
        if (fd < 0 && LastError() is Errno.ENOSYS or Errno.EPERM)
            fd = LibC.openat(directory, name, all, 0);
        return Handle(fd, "openat2");
    }

    internal static SysResult<SafeFileHandle> OpenParent(SafeFileHandle directory) =>
        Handle(LibC.openat(directory, "..", LibC.PathOnly | LibC.Directory | LibC.CloseOnExec, 0), "openat");

    internal static unsafe SysResult<FileIdentity> Stat(SafeHandle fd)
    {
        LibC.StatX stat;
        return LibC.statx(fd, "", LibC.AtEmptyPath, BasicStats, &stat) == 0
            ? SysResult.Ok(FileIdentity.From(stat))
            : Fail<FileIdentity>("statx");
    }

    /// <summary>The device and the mount that an open file or directory lies on; no mount before kernel 5.8.</summary>
    internal static unsafe SysResult<(uint Major, uint Minor, ulong? MountId)> Seat(SafeHandle fd)
    {
        LibC.StatX stat;
        return LibC.statx(fd, "", LibC.AtEmptyPath, BasicStats | MountIdStat, &stat) == 0
            ? SysResult.Ok((stat.DeviceMajor, stat.DeviceMinor, (stat.Mask & MountIdStat) != 0 ? stat.MountId : (ulong?)null))
            : Fail<(uint, uint, ulong?)>("statx");
    }

    /// <summary>What the file takes on its disk, also before it is written there; less than its size when it has holes.</summary>
    internal static unsafe SysResult<long> AllocatedBytes(SafeHandle fd)
    {
        const int BlockSize = 512;
        LibC.StatX stat;
        return LibC.statx(fd, "", LibC.AtEmptyPath, BasicStats, &stat) == 0
            ? SysResult.Ok((long)Math.Min(stat.Blocks, long.MaxValue / BlockSize) * BlockSize)
            : Fail<long>("statx");
    }

    /// <summary>
    /// Bytes that are no holes, by the file system's own word, counted up to <paramref name="enough"/>: blocks may be allocated long after a
    /// write (OpenZFS: with the transaction group). A file system that knows no holes calls all of it data. The file is at its beginning afterwards.
    /// </summary>
    internal static long DataBytes(SafeHandle fd, long enough)
    {
        const int MaxRuns = 1024;
        long found = 0, at = 0;
        for (var run = 0; found < enough; run++)
        {
            if (run == MaxRuns)
            {
                found = enough;
                break;
            }
            var data = LibC.lseek(fd, at, LibC.SeekData);
            if (data < 0)
            {
                // ENXIO: nothing but a hole from here on.
                if (LastError() is not Errno.ENXIO)
                    found = enough;
                break;
            }
            at = LibC.lseek(fd, data, LibC.SeekHole);
            if (at <= data)
                break;
            found += at - data;
        }
        _ = LibC.lseek(fd, 0, LibC.SeekSet);
        return Math.Min(found, enough);
    }

    /// <summary>The mount cannot be written to, as this process sees it; false where that cannot be told.</summary>
    internal static unsafe bool IsOnReadOnlyMount(SafeHandle fd)
    {
        LibC.StatVfs stat;
        return LibC.fstatvfs(fd, &stat) == 0 && (stat.Flags & LibC.ReadOnlyMount) != 0;
    }

    /// <summary>Of a directory's entry; a symbolic link is not followed.</summary>
    internal static unsafe SysResult<FileIdentity> Stat(SafeHandle directory, string name)
    {
        LibC.StatX stat;
        return LibC.statx(directory, name, LibC.AtSymlinkNoFollow, BasicStats, &stat) == 0
            ? SysResult.Ok(FileIdentity.From(stat))
            : Fail<FileIdentity>("statx");
    }

    internal static unsafe SysResult<FileIdentity> Stat(string path, bool follow)
    {
        LibC.StatX stat;
        return LibC.statx(LibC.AtFdCwd, path, follow ? 0 : LibC.AtSymlinkNoFollow, BasicStats, &stat) == 0
            ? SysResult.Ok(FileIdentity.From(stat))
            : Fail<FileIdentity>("statx");
    }

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    internal static unsafe SysResult<int> Read(SafeHandle fd, Span<byte> buffer)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            nint count;
            fixed (byte* start = buffer[total..])
                count = LibC.read(fd, start, buffer.Length - total);
            if (count == 0)
                break;
            if (count > 0)
                total += (int)count;
            else if (LastError() != Errno.EINTR)
                return Fail<int>("read");
        }
        return SysResult.Ok(total);
    }

    /// <summary>One read(2): for descriptors that hand out one record or one batch of events at a time.</summary>
    internal static unsafe SysResult<int> ReadOnce(SafeHandle fd, Span<byte> buffer)
    {
        while (true)
        {
            nint count;
            fixed (byte* start = buffer)
                count = LibC.read(fd, start, buffer.Length);
            if (count >= 0)
                return SysResult.Ok((int)count);
            if (LastError() != Errno.EINTR)
                return Fail<int>("read");
        }
    }

    /// <summary>Reads from the beginning until the buffer is full or the file ends; where the descriptor stands does not matter.</summary>
    internal static SysResult<int> ReadFromStart(SafeHandle fd, Span<byte> buffer) => ReadAt(fd, buffer, 0);

    /// <summary>Reads from an offset until the buffer is full or the file ends; where the descriptor stands does not matter.</summary>
    internal static unsafe SysResult<int> ReadAt(SafeHandle fd, Span<byte> buffer, long offset)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            nint count;
            fixed (byte* start = buffer[total..])
                count = LibC.pread(fd, start, buffer.Length - total, offset + total);
            if (count == 0)
                break;
            if (count > 0)
                total += (int)count;
            else if (LastError() != Errno.EINTR)
                return Fail<int>("pread");
        }
        return SysResult.Ok(total);
    }

    internal static unsafe SysResult Write(SafeHandle fd, ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            nint count;
            fixed (byte* start = content)
                count = LibC.write(fd, start, content.Length);
            if (count > 0)
                content = content[(int)count..];
            else if (count == 0)
                return SysResult.Fail(Errno.EIO, "write");
            else if (LastError() != Errno.EINTR)
                return Fail("write");
        }
        return SysResult.Success;
    }

    /// <summary>An existing directory is success; the mode counts only for a new one.</summary>
    internal static SysResult MakeDirectory(string path, uint mode)
    {
        if (LibC.mkdir(path, mode) == 0)
            return SysResult.Success;
        return LastError() == Errno.EEXIST ? SysResult.Success : Fail("mkdir");
    }

    private static SysResult<SafeFileHandle> Handle(int fd, string call) =>
        fd < 0 ? Fail<SafeFileHandle>(call) : SysResult.Ok(new SafeFileHandle(fd, ownsHandle: true));
}
