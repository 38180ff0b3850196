// A new file under a temporary name, put in place by rename or removed again.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

internal sealed class TempFile : IDisposable
{
    /// <summary>What a crash may leave behind begins with this.</summary>
    internal const string Prefix = ".tmp-";

    private const int NameAttempts = 8;

    private readonly string path;
    private bool inPlace;

    private TempFile(string path, SafeFileHandle handle)
    {
        this.path = path;
        Handle = handle;
    }

    internal SafeFileHandle Handle { get; }

    internal static SysResult<TempFile> Create(string directory, uint mode)
    {
        SysResult<SafeFileHandle> opened = default;
        for (var attempt = 0; attempt < NameAttempts; attempt++)
        {
            var path = $"{directory}/{Prefix}{Path.GetRandomFileName()}";
            opened = Sys.Open(path, LibC.WriteOnly | LibC.Create | LibC.Exclusive | LibC.NoFollow, mode);
            if (opened.IsOk)
            {
                Failpoint.At("file.created");
                return SysResult.Ok(new TempFile(path, opened.Value));
            }
            if (opened.Errno != Errno.EEXIST)
                break;
        }
        return SysResult.Fail<TempFile>(opened.Errno, opened.Call!);
    }

    /// <summary>
    /// Writes, makes the bytes durable, then renames: the name is never seen with less than the whole content. The name itself becomes durable
    /// with the next sync of the directory.
    /// </summary>
    internal SysResult Publish(ReadOnlySpan<byte> content, string target, bool durable = true)
    {
        var written = Sys.Write(Handle, content);
        if (!written.IsOk)
            return written;
        Failpoint.At("file.written");
        if (durable)
        {
            if (LibC.fsync(Handle) != 0)
                return Sys.Fail("fsync");
            Failpoint.At("file.synced");
        }
        if (LibC.rename(path, target) != 0)
            return Sys.Fail("rename");
        inPlace = true;
        Failpoint.At("file.renamed");
        return SysResult.Success;
    }

    internal static SysResult SyncDirectory(string directory)
    {
        var opened = Sys.Open(directory, LibC.ReadOnly | LibC.Directory);
        if (!opened.IsOk)
            return opened.WithoutValue;
        using var handle = opened.Value;
        return SyncDirectory(handle);
    }

    /// <param name="handle">Opened for reading.</param>
    internal static SysResult SyncDirectory(SafeFileHandle handle)
    {
        if (LibC.fsync(handle) != 0)
            return Sys.Fail("fsync");
        Failpoint.At("directory.synced");
        return SysResult.Success;
    }

    public void Dispose()
    {
        Handle.Dispose();
        if (!inPlace)
            _ = LibC.unlink(path);
    }
}
