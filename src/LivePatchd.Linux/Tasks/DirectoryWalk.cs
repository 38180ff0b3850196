// The numbered entries of an open directory, one after another, in a buffer that is kept: nothing is allocated per entry.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Tasks;

/// <summary>getdents64 on a plain descriptor, which stays the caller's.</summary>
internal sealed class DirectoryWalk
{
    // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name.
    private const int LengthAt = 16;
    private const int NameAt = 19;

    private readonly byte[] buffer = new byte[64 << 10];
    private int directory = -1;
    private int filled;
    private int at;

    public void Start(int fd)
    {
        directory = fd;
        filled = at = 0;
    }

    /// <summary>The next name made of digits only. False at the end, and where the directory vanished meanwhile.</summary>
    public unsafe bool Next(out int number)
    {
        while (true)
        {
            if (at >= filled)
            {
                nint count;
                fixed (byte* start = buffer)
                    count = LibC.getdents64(directory, start, buffer.Length);
                if (count < 0 && Sys.LastError() == Errno.EINTR)
                    continue;
                if (count <= 0)
                {
                    number = 0;
                    return false;
                }
                filled = (int)count;
                at = 0;
            }
            var length = BitConverter.ToUInt16(buffer, at + LengthAt);
            var name = buffer.AsSpan(at + NameAt, length - NameAt);
            at += length;
            if (Number(name, out number))
                return true;
        }
    }

    private static bool Number(ReadOnlySpan<byte> name, out int number)
    {
        number = 0;
        var digits = 0;
        // The kernel's limit of pids has seven digits.
        for (; digits < name.Length && digits < 9 && name[digits] is >= (byte)'0' and <= (byte)'9'; digits++)
            number = (number * 10) + name[digits] - '0';
        return digits > 0 && digits < name.Length && name[digits] == 0;
    }
}
