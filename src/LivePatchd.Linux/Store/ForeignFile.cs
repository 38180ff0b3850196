// The bytes of a descriptor that another program handed over, in a file that has no name: from there on no other file system is asked.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>Exactly one of the two is set.</summary>
/// <param name="Refused">Why there is no file.</param>
/// <param name="Detail">One line.</param>
public sealed record ForeignFile(SafeFileHandle? File, Reason? Refused, string Detail)
{
    private const string Place = "/var/lib/livepatchd/store";
    private const uint Mode = 0x180; // 0600

    /// <summary>May take as long as the other file system likes; the descriptor stays the caller's.</summary>
    internal static ForeignFile Copy(SystemRoot root, uint owner, SafeFileHandle foreign)
    {
        // A FIFO, a socket or a terminal would be waited for.
        if (Sys.Stat(foreign) is not { IsOk: true, Value.IsRegular: true })
            return Refuse(Reason.NotARegularFile, "the descriptor is not one of a regular file");
        var ready = PrivateDirectory.Ensure(root, Place, owner);
        if (!ready.IsOk)
            return Refuse(Reason.StoreUnavailable, $"{ready.Call}: {ready.Errno}");
        // What a crash leaves goes with the next collection, by this prefix.
        var path = root.Path($"{Place}/{TempFile.Prefix}{Path.GetRandomFileName()}");
        var made = Sys.Open(path, LibC.ReadWrite | LibC.Create | LibC.Exclusive | LibC.NoFollow, Mode);
        if (!made.IsOk)
            return Refuse(Reason.StoreUnavailable, $"{made.Call}: {made.Errno}");
        _ = LibC.unlink(path);
        var own = made.Value;
        var copied = StagingArea.Copy(foreign, own);
        if (copied.IsOk && LibC.lseek(own, 0, LibC.SeekSet) < 0)
            copied = Sys.Fail("lseek");
        if (copied.IsOk)
            return new(own, null, "");
        own.Dispose();
        return copied.Errno is Errno.EFBIG
            ? Refuse(Reason.FileTooLarge, $"more than {StagingArea.MaxSize >> 20} MiB")
            : Refuse(copied.Call is "write" ? Reason.StoreUnavailable : Reason.UnreadableFile, $"{copied.Call}: {copied.Errno}");
    }

    private static ForeignFile Refuse(Reason reason, string detail) => new(null, reason, detail);
}
