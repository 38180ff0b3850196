// A directory tree of its own that stands for "/" in one test, and goes with it.
using System.Runtime.InteropServices;
using System.Text;

namespace LivePatchd.Linux.Tests;

public sealed partial class FakeRoot : IDisposable
{
    /// <param name="parent">Null for the directory of temporary files.</param>
    public FakeRoot(string? parent = null)
    {
        Directory = parent is null
            ? System.IO.Directory.CreateTempSubdirectory("livepatchd-test-").FullName
            : System.IO.Directory.CreateDirectory($"{parent}/livepatchd-test-{Guid.NewGuid():N}", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        Root = new SystemRoot(Directory);
    }

    public string Directory { get; }

    public SystemRoot Root { get; }

    public string Path(string absolute) => Root.Path(absolute);

    public string MakeDirectory(string absolute)
    {
        System.IO.Directory.CreateDirectory(Path(absolute), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return Path(absolute);
    }

    public string Write(string absolute, byte[] content)
    {
        MakeDirectory(System.IO.Path.GetDirectoryName(absolute)!);
        File.WriteAllBytes(Path(absolute), content);
        File.SetUnixFileMode(Path(absolute), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return Path(absolute);
    }

    public string Write(string absolute, string content) => Write(absolute, Encoding.UTF8.GetBytes(content));

    public void Dispose()
    {
        try
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
        catch (IOException)
        {
            // A test that left the tree in an odd state has failed already; the directory is the system's to clean.
        }
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mkfifo(string path, uint mode);

    /// <summary>For names that are no text: the path in bytes, NUL at its end.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int mkfifo(byte[] path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int link(string from, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mount(string source, string target, string type, nuint flags, string data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int umount2(string target, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int chown(string path, uint uid, uint gid);
}
