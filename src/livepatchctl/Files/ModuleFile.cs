// Reads a module file that somebody names on the command line: regular files only, never blocking, never more than 64 MiB.
using System.Runtime.InteropServices;
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Ctl.Files;

/// <param name="Bytes">Set when the file was read.</param>
/// <param name="Reason">Set when it was not.</param>
/// <param name="Detail">Which of the reason's cases it is.</param>
internal sealed record ModuleFile(byte[]? Bytes, Reason? Reason, string Detail)
{
    public const long MaxSize = 64L << 20;
    public const int NoSuchFile = 2;

    private const int NoSuchDevice = 6;
    private const int AccessDenied = 13;

    /// <summary>Of the call that failed; 0 when none did.</summary>
    public int Errno { get; private init; }

    public static ModuleFile Read(string path)
    {
        using var file = Posix.OpenForReading(path, out var errno);
        if (file is null)
            return errno == NoSuchDevice ? Refuse(Core.Model.Reason.NotARegularFile, "a socket or device") : Unreadable(errno);
        if (!Posix.TryStat(file, out var type, out var size, out errno))
            return Unreadable(errno);
        if (type != Posix.RegularFile)
            return Refuse(Core.Model.Reason.NotARegularFile, Posix.NameOf(type));
        if (size is 0 or > MaxSize)
            return Refuse(Core.Model.Reason.FileTooLarge, size == 0 ? "it is empty" : $"it has {size} bytes");
        try
        {
            return ReadWhole(file, (int)size);
        }
        catch (IOException failed)
        {
            return Refuse(Core.Model.Reason.UnreadableFile, failed.Message);
        }
    }

    private static ModuleFile ReadWhole(SafeFileHandle file, int size)
    {
        var bytes = new byte[size];
        var length = 0;
        while (length < size && RandomAccess.Read(file, bytes.AsSpan(length), length) is > 0 and var count)
            length += count;
        // One byte behind the last shows a file that grows.
        Span<byte> more = stackalloc byte[1];
        return length == size && RandomAccess.Read(file, more, length) == 0
            ? new ModuleFile(bytes, null, "")
            : Refuse(Core.Model.Reason.FileChanging, "its size changed");
    }

    private static ModuleFile Unreadable(int errno)
    {
        var why = errno switch
        {
            NoSuchFile => "no such file",
            AccessDenied => "permission denied",
            _ => Marshal.GetPInvokeErrorMessage(errno),
        };
        return Refuse(Core.Model.Reason.UnreadableFile, why) with { Errno = errno };
    }

    private static ModuleFile Refuse(Reason reason, string detail) => new(null, reason, detail);
}
