// A release directory and a hidden one of our own in it, both held by descriptors.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>
/// Whoever owns the watched directory may rename what is in it at any moment, and put a link in its place. No name is followed twice here, so that
/// moves nothing of what is written.
/// </summary>
internal sealed class StagingPlace : IDisposable
{
    private const uint DirectoryMode = 0x1ED; // 0755
    private const uint HiddenMode = 0x1C0; // 0700
    private const uint FileMode = 0x1A4; // 0644

    private readonly SafeFileHandle directory;
    private readonly string hiddenName;
    private readonly List<string> left = [];

    private StagingPlace(SafeFileHandle directory, SafeFileHandle hidden, string hiddenName)
    {
        this.directory = directory;
        Hidden = hidden;
        this.hiddenName = hiddenName;
    }

    /// <summary>Root's alone, for the copy must already bear its final name to be judged.</summary>
    internal SafeFileHandle Hidden { get; }

    /// <summary>Makes what is missing. Exactly one of the three is set.</summary>
    internal static (StagingPlace? Place, Refusal? Refused, SysResult Error) Open(SystemRoot root, DirectoryTrust trust, string watched, string release)
    {
        var made = MakeDirectories(root, watched);
        if (!made.IsOk)
            return (null, null, made);
        var outer = Sys.Open(root.Path(watched), LibC.PathOnly | LibC.Directory);
        if (!outer.IsOk)
            return (null, null, outer.WithoutValue);
        using var above = outer.Value;
        if (trust.Check(above, root.Path(watched)) is { } untrusted)
            return (null, untrusted, default);
        var inner = OpenMade(above, release, DirectoryMode);
        if (!inner.IsOk)
            return (null, null, inner.WithoutValue);
        if (trust.Check(inner.Value, root.Path($"{watched}/{release}"), own: 2) is { } refused)
        {
            inner.Value.Dispose();
            return (null, refused, default);
        }
        var name = $"{Leftovers.StagingPrefix}{Guid.NewGuid():N}";
        var hidden = OpenMade(inner.Value, name, HiddenMode);
        if (hidden.IsOk && Sys.Stat(hidden.Value) is { IsOk: true } stat && stat.Value.Uid == trust.Owner)
            return (new StagingPlace(inner.Value, hidden.Value, name), null, default);
        // Another one than was made.
        if (hidden.IsOk)
            hidden.Value.Dispose();
        _ = LibC.unlinkat(inner.Value, name, LibC.AtRemoveDirectory);
        inner.Value.Dispose();
        return (null, null, hidden.IsOk ? SysResult.Fail(Errno.EPERM, "stage: the directory was exchanged") : hidden.WithoutValue);
    }

    /// <summary>The release directory as it is, to take something out of it.</summary>
    internal static SysResult<SafeFileHandle> OpenRelease(SystemRoot root, string watched, string release)
    {
        var outer = Sys.Open(root.Path(watched), LibC.PathOnly | LibC.Directory);
        if (!outer.IsOk)
            return outer;
        using var above = outer.Value;
        return Sys.OpenBeneath(above, release, LibC.ReadOnly | LibC.Directory);
    }

    internal SysResult<SafeFileHandle> Create(string name)
    {
        left.Add(name);
        var fd = LibC.openat(Hidden, name, LibC.WriteOnly | LibC.Create | LibC.Exclusive | LibC.NoFollow | LibC.CloseOnExec, FileMode);
        return fd < 0 ? Sys.Fail<SafeFileHandle>("openat") : SysResult.Ok(new SafeFileHandle(fd, ownsHandle: true));
    }

    /// <summary>Out of the hidden directory, under the same name, in the place of what bears it.</summary>
    internal SysResult Show(string name) => LibC.renameat(Hidden, name, directory, name) == 0 ? SysResult.Success : Sys.Fail("renameat");

    internal SysResult Sync() => TempFile.SyncDirectory(directory);

    public void Dispose()
    {
        foreach (var name in left)
            _ = LibC.unlinkat(Hidden, name, 0);
        Hidden.Dispose();
        _ = LibC.unlinkat(directory, hiddenName, LibC.AtRemoveDirectory);
        directory.Dispose();
    }

    private static SysResult<SafeFileHandle> OpenMade(SafeFileHandle above, string name, uint mode) =>
        LibC.mkdirat(above, name, mode) == 0 || Sys.LastError() is Errno.EEXIST
            ? Sys.OpenBeneath(above, name, LibC.ReadOnly | LibC.Directory)
            : Sys.Fail<SafeFileHandle>("mkdirat");

    private static SysResult MakeDirectories(SystemRoot root, string directory)
    {
        for (var slash = directory.IndexOf('/', 1); slash > 0; slash = directory.IndexOf('/', slash + 1))
        {
            var parent = Sys.MakeDirectory(root.Path(directory[..slash]), DirectoryMode);
            if (!parent.IsOk)
                return parent;
        }
        return Sys.MakeDirectory(root.Path(directory), DirectoryMode);
    }
}
