// What statx says about a file: enough to judge it, and to tell whether it is still the same one.

namespace LivePatchd.Linux.Native;

/// <summary>Two equal values of one path mean that nobody wrote, replaced, linked, or changed owner or mode in between.</summary>
internal readonly record struct FileIdentity(
    ulong Device, ulong Inode, long Size, long ModifiedNanoseconds, long ChangedNanoseconds, uint Mode, uint Uid, uint Links)
{
    private const uint TypeMask = 0xF000;

    internal bool IsRegular => (Mode & TypeMask) == 0x8000;

    internal bool IsDirectory => (Mode & TypeMask) == 0x4000;

    internal bool IsSymbolicLink => (Mode & TypeMask) == 0xA000;

    internal bool OthersMayWrite => (Mode & 0x12) != 0;

    internal bool IsSticky => (Mode & 0x200) != 0;

    internal bool IsSameNode(FileIdentity other) => Device == other.Device && Inode == other.Inode;

    internal static FileIdentity From(in LibC.StatX stat) => new(
        ((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor,
        stat.Inode,
        (long)Math.Min(stat.Size, long.MaxValue),
        Nanoseconds(stat.Modified),
        Nanoseconds(stat.Changed),
        stat.Mode,
        stat.Uid,
        stat.Links);

    // Wraps for absurd years; only compared for equality.
    private static long Nanoseconds(in LibC.StatXTime time) => unchecked((time.Seconds * 1_000_000_000) + time.Nanoseconds);
}
