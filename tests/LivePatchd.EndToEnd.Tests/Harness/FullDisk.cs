// A tiny tmpfs over one directory, with the directory's files copied into it, which a test can fill and relieve.
using System.Runtime.InteropServices;

namespace LivePatchd.EndToEnd.Tests;

internal sealed partial class FullDisk : IDisposable
{
    private const uint ReadOnly = 1;
    private const uint Remount = 32;

    private readonly string directory;

    private FullDisk(string directory) => this.directory = directory;

    public static FullDisk Over(string directory)
    {
        var files = Directory.EnumerateFiles(directory).ToDictionary(f => f, File.ReadAllBytes);
        var mounted = mount("lab", directory, "tmpfs", 0, "size=64k,mode=700");
        Assert.SkipUnless(mounted == 0, "a tmpfs cannot be mounted here");
        foreach (var (path, content) in files)
            File.WriteAllBytes(path, content);
        return new FullDisk(directory);
    }

    public void Fill()
    {
        using var filler = new FileStream(Path.Combine(directory, "filler"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            // The journal's last page has room left: one record may still fit, and then no more.
            while (true)
                filler.Write(new byte[1024]);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>As a file system that met an error is left by the kernel.</summary>
    public void MakeReadOnly(bool readOnly) => Assert.Equal(0, mount("lab", directory, "tmpfs", Remount | (readOnly ? ReadOnly : 0u), ""));

    public void Release() => File.Delete(Path.Combine(directory, "filler"));

    public void Dispose() => _ = umount2(directory, 2);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string type, nuint flags, string data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string target, int flags);
}
