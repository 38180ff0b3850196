// Makes sure that a directory of the daemon's own exists and is closed to everybody else.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Store;

internal static class PrivateDirectory
{
    private const uint Mode = 0x1C0; // 0700
    private const uint ParentMode = 0x1ED; // 0755
    private const uint OthersMask = 0x3F; // 0077

    /// <param name="path">Absolute on the host; missing parents are made too.</param>
    internal static SysResult Ensure(SystemRoot root, string path, uint owner)
    {
        for (var slash = path.IndexOf('/', 1); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            var made = Sys.MakeDirectory(root.Path(path[..slash]), ParentMode);
            if (!made.IsOk)
                return made;
        }
        var created = Sys.MakeDirectory(root.Path(path), Mode);
        if (!created.IsOk)
            return created;
        Failpoint.At("state.directory-made");
        var opened = Sys.Open(root.Path(path), LibC.ReadOnly | LibC.Directory | LibC.NoFollow);
        if (!opened.IsOk)
            return opened.WithoutValue;
        using var directory = opened.Value;
        var stat = Sys.Stat(directory);
        if (!stat.IsOk)
            return stat.WithoutValue;
        if (stat.Value.Uid != owner)
            return SysResult.Fail(Errno.EPERM, "fstat");
        return (stat.Value.Mode & OthersMask) == 0 || LibC.fchmod(directory, Mode) == 0 ? SysResult.Success : Sys.Fail("fchmod");
    }
}
