// Decides whether nobody but root can change what a watched directory's path leads to.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>
/// Every directory from the watched one up to the root must belong to root and be writable by root alone. One that only leads there may be
/// writable by others when it is sticky, as /tmp is: nobody can put another in the place of root's.
/// Under a test root the walk ends there, and the owner is whoever runs the daemon.
/// </summary>
internal sealed class DirectoryTrust(SystemRoot root)
{
    private const int MaxDepth = 64;

    internal uint Owner { get; } = root.IsReal ? 0 : LibC.geteuid();

    /// <summary>Somebody else who may own files and directories, by configuration; null when nobody may.</summary>
    internal uint? AlsoOwner { get; set; }

    internal bool MayOwn(uint uid) => uid == Owner || uid == AlsoOwner;

    /// <summary>Null when it can be trusted.</summary>
    /// <param name="path">As opened, to name it and to judge the links on the way.</param>
    /// <param name="own">How many, from this one up, are not on the way but the watched directory itself: with a directory for each release they are two.</param>
    internal Refusal? Check(SafeFileHandle directory, string path, int own = 1)
    {
        if (CheckLinks(path) is { } link)
            return link;
        var top = Sys.Stat(root.Prefix, follow: true);
        if (!top.IsOk)
            return Refusal.Of(Reason.UnreadableFile, top.WithoutValue);

        var current = directory;
        try
        {
            for (var depth = 0; depth < MaxDepth; depth++)
            {
                var stat = Sys.Stat(current);
                if (!stat.IsOk)
                    return Refusal.Of(Reason.UnreadableFile, stat.WithoutValue);
                if (Judge(stat.Value, depth == 0 ? "the directory" : "a directory above it", leadsThere: depth >= own) is { } refusal)
                    return refusal;
                if (stat.Value.IsSameNode(top.Value))
                    return null;
                var parent = Sys.OpenParent(current);
                if (!parent.IsOk)
                    return Refusal.Of(Reason.UnreadableFile, parent.WithoutValue);
                if (current != directory)
                    current.Dispose();
                current = parent.Value;
            }
            return new Refusal(Reason.UnsafeOwner, "the directory is not beneath the root");
        }
        finally
        {
            if (current != directory)
                current.Dispose();
        }
    }

    // A link on the way is as good as its owner: distributions have some, as /lib is.
    private Refusal? CheckLinks(string path)
    {
        for (var slash = path.IndexOf('/', 1); ; slash = path.IndexOf('/', slash + 1))
        {
            var stat = Sys.Stat(slash < 0 ? path : path[..slash], follow: false);
            if (stat.IsOk && stat.Value.IsSymbolicLink && stat.Value.Uid != Owner && stat.Value.Uid != 0)
                return new Refusal(Reason.UnsafeOwner, "a symbolic link on the way to the directory is not owned by root");
            if (slash < 0)
                return null;
        }
    }

    private Refusal? Judge(FileIdentity stat, string which, bool leadsThere)
    {
        if (!MayOwn(stat.Uid))
            return new Refusal(Reason.UnsafeOwner, $"{which} is owned by uid {stat.Uid}");
        return stat.OthersMayWrite && !(leadsThere && stat.IsSticky)
            ? new Refusal(Reason.UnsafePermissions, $"{which} has mode {Convert.ToString(stat.Mode & 0xFFF, 8).PadLeft(4, '0')}")
            : null;
    }
}
