// Puts a file into a directory whole or not at all: a hidden name, fsync, one rename that replaces nothing, fsync of the directory.
using System.Runtime.InteropServices;
using LivePatchd.Ctl.Files;

namespace LivePatchd.Ctl.Kpatch;

internal static partial class AtomicInstall
{
    private const UnixFileMode DirectoryMode = (UnixFileMode)0b111_101_101;
    private const UnixFileMode FileMode644 = (UnixFileMode)0b110_100_100;
    private const int AtCurrentDirectory = -100;
    private const uint NoReplace = 1;
    private const int InvalidArgument = 22;

    /// <returns>Null when it is there and will be there after a power cut, else why not.</returns>
    public static string? MakeDirectory(string directory)
    {
        try
        {
            // One by one: what is made on the way would get its mode from the umask, and a directory that others may write is not trusted.
            var above = Path.GetDirectoryName(directory)!;
            Directory.CreateDirectory(above, DirectoryMode);
            Directory.CreateDirectory(directory, DirectoryMode);
            return Sync(above) ?? Sync(Path.GetDirectoryName(above)!);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return refused.Message;
        }
    }

    /// <inheritdoc cref="MakeDirectory"/>
    public static string? Write(string directory, string fileName, byte[] bytes)
    {
        // Nobody takes a name with a dot in front for a patch.
        var hidden = Path.Join(directory, $".{fileName}.{Guid.NewGuid():N}");
        try
        {
            using (var file = new FileStream(hidden, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = FileMode644 }))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }
            return Rename(hidden, Path.Join(directory, fileName)) ?? Sync(directory);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return refused.Message;
        }
        finally
        {
            // After the rename there is nothing under that name.
            _ = unlink(hidden);
        }
    }

    /// <summary>A removal is on disk only after this, as a rename is.</summary>
    public static string? Sync(string directory)
    {
        using var handle = Posix.OpenForReading(directory, out var errno);
        return handle is null ? Marshal.GetPInvokeErrorMessage(errno) : fsync(handle) == 0 ? null : LastError();
    }

    private static string? Rename(string from, string to)
    {
        if (renameat2(AtCurrentDirectory, from, AtCurrentDirectory, to, NoReplace) == 0)
            return null;
        // Some file systems cannot promise to replace nothing; that there is nothing was looked at before.
        return Marshal.GetLastPInvokeError() == InvalidArgument && renameat2(AtCurrentDirectory, from, AtCurrentDirectory, to, 0) == 0 ? null : LastError();
    }

    private static string LastError() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(Microsoft.Win32.SafeHandles.SafeFileHandle file);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlink(string path);
}
