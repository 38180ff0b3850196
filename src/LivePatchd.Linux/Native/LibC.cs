// The system calls the adapters need and .NET does not offer, with errno kept.
using System.Runtime.InteropServices;

namespace LivePatchd.Linux.Native;

/// <summary>Constants are those of x86-64 and arm64; where the two differ, the value is chosen at run time.</summary>
internal static partial class LibC
{
    internal const int AtFdCwd = -100;
    internal const int AtEmptyPath = 0x1000;
    internal const int AtSymlinkNoFollow = 0x100;
    internal const int AtRemoveDirectory = 0x200;

    internal const int ReadOnly = 0;
    internal const int WriteOnly = 1;
    internal const int ReadWrite = 2;
    internal const int Create = 0x40;
    internal const int Exclusive = 0x80;
    internal const int Truncate = 0x200;
    internal const int Append = 0x400;
    internal const int NonBlock = 0x800;
    internal const int CloseOnExec = 0x80000;
    internal const int PathOnly = 0x200000;

    // arm64 is one of the architectures that swap these with O_DIRECT and O_LARGEFILE.
    internal static readonly int Directory = IsArm64 ? 0x4000 : 0x10000;
    internal static readonly int NoFollow = IsArm64 ? 0x8000 : 0x20000;

    internal const int SeekSet = 0;
    internal const int SeekEnd = 2;
    internal const int SeekData = 3;
    internal const int SeekHole = 4;
    internal const ulong ReadOnlyMount = 1;

    internal const int LockExclusive = 2;
    internal const int LockNonBlock = 4;

    internal const int ProtRead = 1;
    internal const int ProtWrite = 2;
    internal const int MapPrivate = 2;
    internal const int MapAnonymous = 0x20;

    internal const int AdviseWillNeed = 3;

    internal const int PriorityOfProcess = 0;

    internal const int ClockRealTime = 0;
    internal const int TimerAbsolute = 1;
    internal const int TimerCancelOnSet = 2;

    internal const uint MemoryCloseOnExec = 0x1;
    internal const uint MemoryAllowSealing = 0x2;
    internal const uint MemoryNoExecSeal = 0x8;

    internal const int AddSeals = 1033;
    internal const int SealSeal = 0x1;
    internal const int SealShrink = 0x2;
    internal const int SealGrow = 0x4;
    internal const int SealWrite = 0x8;

    internal const short PollIn = 0x1;
    internal const short PollPri = 0x2;
    internal const short PollOut = 0x4;
    internal const short PollErr = 0x8;
    internal const short PollHup = 0x10;
    internal const short PollInvalid = 0x20;

    internal const int EpollAdd = 1;
    internal const int EpollHangUp = 0x10;

    internal const ulong ResolveNoMounts = 0x01;
    internal const ulong ResolveNoMagicLinks = 0x02;
    internal const ulong ResolveNoSymlinks = 0x04;
    internal const ulong ResolveBeneath = 0x08;

    private static bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    internal static nint FinitModuleNumber => IsArm64 ? 273 : 313;

    internal static nint DeleteModuleNumber => IsArm64 ? 106 : 176;

    internal static nint KeyctlNumber => IsArm64 ? 219 : 250;

    internal const int KeyctlSearch = 10;

    // openat2 got the same number everywhere.
    internal const int OpenAt2Number = 437;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int close(int fd);

    /// <summary>For walks over very many files: a plain descriptor and a name in bytes, NUL at its end, so that nothing is allocated.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int openat(int directory, byte* path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint read(int fd, byte* buffer, nint size);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint getdents64(int directory, byte* buffer, nint size);

    /// <summary>0 is the calling thread.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int sched_setaffinity(int thread, nuint size, byte* mask);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int sched_getaffinity(int thread, nuint size, byte* mask);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setpriority(int which, uint who, int nice);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getpriority(int which, uint who);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial long lseek(SafeHandle fd, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int fstatvfs(SafeHandle fd, StatVfs* stat);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint syscall_keyctl_search(nint number, nint operation, nint keyring, string type, string description, nint destination);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fcntl(SafeHandle fd, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int munmap(nint address, nuint length);

    [LibraryImport("libc")]
    internal static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int timerfd_create(int clock, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int timerfd_settime(SafeHandle fd, int flags, TimerSpec* time, TimerSpec* before);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int poll(PollFd* fds, ulong count, int timeoutMilliseconds);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int pipe2(int* ends, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int epoll_ctl(SafeHandle epoll, int operation, SafeHandle fd, byte* change);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int epoll_wait(SafeHandle epoll, byte* events, int capacity, int timeoutMilliseconds);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int inotify_add_watch(SafeHandle fd, string path, uint mask);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int inotify_rm_watch(SafeHandle fd, int watch);

    /// <summary>struct itimerspec: the interval first.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct TimerSpec
    {
        public long IntervalSeconds;
        public long IntervalNanoseconds;
        public long Seconds;
        public long Nanoseconds;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct StatXTime
    {
        public long Seconds;
        public uint Nanoseconds;
        public int Reserved;
    }

    /// <summary>struct statvfs of glibc, as all 64-bit machines have it.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    internal struct StatVfs
    {
        public ulong BlockSize;
        public ulong FragmentSize;
        public ulong Blocks;
        public ulong FreeBlocks;
        public ulong AvailableBlocks;
        public ulong Files;
        public ulong FreeFiles;
        public ulong AvailableFiles;
        public ulong Id;
        public ulong Flags;
        public ulong MaxName;
    }

    /// <summary>struct statx: the one stat layout that is the same on every architecture.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    internal struct StatX
    {
        public uint Mask;
        public uint BlockSize;
        public ulong Attributes;
        public uint Links;
        public uint Uid;
        public uint Gid;
        public ushort Mode;
        public ushort Spare0;
        public ulong Inode;
        public ulong Size;
        public ulong Blocks;
        public ulong AttributesMask;
        public StatXTime Accessed;
        public StatXTime Born;
        public StatXTime Changed;
        public StatXTime Modified;
        public uint DeviceMajorOfNode;
        public uint DeviceMinorOfNode;
        public uint DeviceMajor;
        public uint DeviceMinor;
        public ulong MountId;
    }
}
