// An append-only file: each record is whole and durable before Append returns, or the file is as it was.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>What the records mean, and how a torn one is told after a power cut, is the caller's concern. Not thread-safe.</summary>
/// <param name="path">Absolute on the host; its directory is made when missing, closed to everybody but the daemon.</param>
public sealed class AppendLog(SystemRoot root, string path) : IDisposable
{
    public const int MaxSize = 16 << 20;

    private const uint FileMode = 0x180; // 0600

    private readonly string realPath = root.Path(path);
    private readonly string directory = Path.GetDirectoryName(path) ?? "/";
    private SafeFileHandle? file;
    private long length;
    private long synced;
    private bool torn;

    /// <summary>A sync has failed: what the disk holds is unknown, and a later sync that succeeds would not tell. Only a new file helps.</summary>
    private bool suspect;

    /// <summary>Bytes at the end that a power cut may still lose, in any part.</summary>
    public long Unsynced => file is null ? 0 : length - synced;

    /// <summary>All bytes; none when there is no file yet. EFBIG above <see cref="MaxSize"/>.</summary>
    public SysResult<byte[]> ReadAll()
    {
        var opened = Sys.Open(realPath, LibC.ReadOnly | LibC.NoFollow | LibC.NonBlock);
        if (opened.Errno == Errno.ENOENT)
            return SysResult.Ok(Array.Empty<byte>());
        if (!opened.IsOk)
            return SysResult.Fail<byte[]>(opened.Errno, opened.Call!);
        using var handle = opened.Value;
        var stat = Sys.Stat(handle);
        if (!stat.IsOk)
            return SysResult.Fail<byte[]>(stat.Errno, stat.Call!);
        if (!stat.Value.IsRegular)
            return SysResult.Fail<byte[]>(Errno.EINVAL, "fstat");
        if (stat.Value.Size > MaxSize)
            return SysResult.Fail<byte[]>(Errno.EFBIG, "fstat");
        var content = new byte[stat.Value.Size];
        var read = Sys.Read(handle, content);
        if (!read.IsOk)
            return SysResult.Fail<byte[]>(read.Errno, read.Call!);
        return SysResult.Ok(read.Value == content.Length ? content : content[..read.Value]);
    }

    /// <summary>What was not synced yet is synced before a durable record is written: so only the file's end can be torn, and never below one.</summary>
    /// <param name="durable">False: on disk after the next durable record or <see cref="Sync"/>; a killed process loses nothing.</param>
    public SysResult Append(ReadOnlySpan<byte> record, bool durable = true)
    {
        var opened = Open();
        if (!opened.IsOk)
            return opened;
        // An earlier failure could not be undone then: nothing may follow a torn record.
        if (torn && !CutBack())
            return Sys.Fail("ftruncate");
        if (length + record.Length > MaxSize)
            return SysResult.Fail(Errno.EFBIG, "write");
        if (suspect || durable)
        {
            var before = Sync();
            if (!before.IsOk)
                return before;
        }
        Failpoint.At("log.append.before");
        var written = Sys.Write(file!, record);
        Failpoint.At("log.append.written");
        if (written.IsOk && durable)
            written = SyncData();
        if (!written.IsOk)
        {
            torn = !CutBack();
            return written;
        }
        length += record.Length;
        if (durable)
        {
            synced = length;
            Failpoint.At("log.append.synced");
        }
        return written;
    }

    /// <summary>Makes what was appended without it durable. After a failure it fails until the log is replaced.</summary>
    public SysResult Sync()
    {
        if (suspect)
            return SysResult.Fail(Errno.EIO, "fdatasync");
        if (Unsynced == 0)
            return SysResult.Success;
        var done = SyncData();
        if (done.IsOk)
            synced = length;
        return done;
    }

    /// <summary>New content for the whole log, old or new after a crash, never a mixture.</summary>
    public SysResult Replace(ReadOnlySpan<byte> content)
    {
        var ready = PrivateDirectory.Ensure(root, directory, Owner);
        if (!ready.IsOk)
            return ready;
        Failpoint.At("log.replace.before");
        var written = AtomicFile.Write(realPath, content, FileMode);
        Failpoint.At("log.replace.done");
        // Also after a failure: the rename may have happened before it.
        Close();
        suspect &= !written.IsOk;
        return written;
    }

    /// <summary>Renames the log to its path and this suffix, for people to look at; the next record begins a new one.</summary>
    public SysResult SetAside(string suffix)
    {
        Close();
        if (LibC.rename(realPath, realPath + suffix) != 0)
            return Sys.Fail("rename");
        suspect = false;
        return TempFile.SyncDirectory(root.Path(directory));
    }

    /// <summary>Writes what was read from the log to its path and this suffix, for people to look at; the log stays as it is.</summary>
    public SysResult CopyAside(ReadOnlySpan<byte> content, string suffix)
    {
        Failpoint.At("log.aside.before");
        var written = AtomicFile.Write(realPath + suffix, content, FileMode);
        Failpoint.At("log.aside.renamed");
        return written;
    }

    public void Dispose() => Close();

    private uint Owner => root.IsReal ? 0 : LibC.geteuid();

    private SysResult Open()
    {
        if (file is not null)
            return SysResult.Success;
        var ready = PrivateDirectory.Ensure(root, directory, Owner);
        if (!ready.IsOk)
            return ready;
        var opened = Sys.Open(realPath, LibC.WriteOnly | LibC.Append | LibC.Create | LibC.NoFollow | LibC.NonBlock, FileMode);
        if (!opened.IsOk)
            return opened.WithoutValue;
        var stat = Sys.Stat(opened.Value);
        var failed = stat.WithoutValue;
        if (stat.IsOk && !stat.Value.IsRegular)
            failed = SysResult.Fail(Errno.EINVAL, "fstat");
        // The name of a new log must last as long as its records; and what a predecessor that was killed wrote last may not be on disk.
        if (failed.IsOk && stat.Value.Size == 0)
            failed = TempFile.SyncDirectory(root.Path(directory));
        else if (failed.IsOk && LibC.fdatasync(opened.Value) != 0)
            failed = Sys.Fail("fdatasync");
        if (!failed.IsOk)
        {
            opened.Value.Dispose();
            return failed;
        }
        file = opened.Value;
        length = synced = stat.Value.Size;
        torn = false;
        return SysResult.Success;
    }

    private SysResult SyncData()
    {
        if (LibC.fdatasync(file!) == 0)
            return SysResult.Success;
        suspect = true;
        return Sys.Fail("fdatasync");
    }

    private bool CutBack()
    {
        if (LibC.ftruncate(file!, length) != 0)
            return false;
        torn = false;
        return true;
    }

    private void Close()
    {
        file?.Dispose();
        file = null;
    }
}
