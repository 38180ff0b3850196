// A small file of the daemon's own that is replaced and removed as a whole, durably.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Store;

/// <param name="path">Absolute on the host; its directory is made when missing, closed to everybody but the daemon.</param>
public sealed class StateFile(SystemRoot root, string path)
{
    public const int MaxSize = 64 << 10;

    private const uint FileMode = 0x180; // 0600

    private readonly string realPath = root.Path(path);
    private readonly string directory = Path.GetDirectoryName(path) ?? "/";

    /// <summary>ENOENT when there is none, EFBIG above <see cref="MaxSize"/>.</summary>
    public SysResult<byte[]> Read()
    {
        var opened = Sys.Open(realPath, LibC.ReadOnly | LibC.NoFollow | LibC.NonBlock);
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
        return read.IsOk ? SysResult.Ok(content[..read.Value]) : SysResult.Fail<byte[]>(read.Errno, read.Call!);
    }

    public SysResult Write(ReadOnlySpan<byte> content)
    {
        var ready = PrivateDirectory.Ensure(root, directory, root.IsReal ? 0 : LibC.geteuid());
        return ready.IsOk ? AtomicFile.Write(realPath, content, FileMode) : ready;
    }

    /// <summary>What is gone already is success.</summary>
    public SysResult Remove()
    {
        if (LibC.unlink(realPath) == 0)
        {
            Failpoint.At("state.removed");
            return TempFile.SyncDirectory(root.Path(directory));
        }
        return Sys.LastError() is Errno.ENOENT ? SysResult.Success : Sys.Fail("unlink");
    }
}
