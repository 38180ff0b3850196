// The end of a file that another writes to: read in one go, bounded, and never waited for.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Store;

/// <param name="Whole">The bytes are all of the file.</param>
public sealed record FileTail(byte[] Bytes, bool Whole)
{
    /// <param name="path">Absolute on the host.</param>
    /// <returns>No bytes when there is no such file.</returns>
    public static SysResult<FileTail> Read(SystemRoot root, string path, int max)
    {
        ArgumentNullException.ThrowIfNull(root);
        var opened = Sys.Open(root.Path(path), LibC.ReadOnly | LibC.NoFollow | LibC.NonBlock);
        if (opened.Errno == Errno.ENOENT)
            return SysResult.Ok(new FileTail([], Whole: true));
        if (!opened.IsOk)
            return SysResult.Fail<FileTail>(opened.Errno, opened.Call!);
        using var file = opened.Value;
        var stat = Sys.Stat(file);
        if (!stat.IsOk)
            return SysResult.Fail<FileTail>(stat.Errno, stat.Call!);
        if (!stat.Value.IsRegular)
            return SysResult.Fail<FileTail>(Errno.EINVAL, "fstat");
        var from = Math.Max(0, stat.Value.Size - max);
        var bytes = new byte[stat.Value.Size - from];
        var read = Sys.ReadAt(file, bytes, from);
        return read.IsOk
            ? SysResult.Ok(new FileTail(read.Value == bytes.Length ? bytes : bytes[..read.Value], from == 0))
            : SysResult.Fail<FileTail>(read.Errno, read.Call!);
    }
}
