// A state file is there as a whole or not at all, closed to others, and nothing else is taken for it.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Tests.Store;

public sealed class StateFileTests : IDisposable
{
    private const string Path = "/var/lib/livepatchd/state/thing";

    private readonly string directory = Directory.CreateTempSubdirectory("lp-state-").FullName;

    private SystemRoot Root => new(directory);

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Written_read_replaced_and_removed()
    {
        var file = new StateFile(Root, Path);
        Assert.Equal(Errno.ENOENT, file.Read().Errno);
        Assert.True(file.Write("one and more"u8).IsOk);
        Assert.True(file.Write("two"u8).IsOk);
        Assert.Equal("two"u8.ToArray(), file.Read().Value);
        Assert.Equal("two"u8.ToArray(), new StateFile(Root, Path).Read().Value);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Root.Path(Path)));
        Assert.Equal([Root.Path(Path)], Directory.GetFiles(System.IO.Path.GetDirectoryName(Root.Path(Path))!));
        Assert.True(file.Remove().IsOk);
        Assert.Equal(Errno.ENOENT, file.Read().Errno);
        Assert.True(file.Remove().IsOk);
    }

    [Fact]
    public void Links_directories_and_giants_are_not_read()
    {
        var file = new StateFile(Root, Path);
        Assert.True(file.Write(new byte[StateFile.MaxSize + 1]).IsOk);
        Assert.Equal(Errno.EFBIG, file.Read().Errno);
        Assert.True(file.Remove().IsOk);
        File.CreateSymbolicLink(Root.Path(Path), "/etc/passwd");
        Assert.Equal(Errno.ELOOP, file.Read().Errno);
        Assert.True(file.Remove().IsOk);
        Directory.CreateDirectory(Root.Path(Path));
        Assert.Equal(Errno.EINVAL, file.Read().Errno);
        Assert.False(file.Write("x"u8).IsOk);
        Assert.False(file.Remove().IsOk);
    }
}
