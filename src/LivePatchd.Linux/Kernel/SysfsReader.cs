// Reads small files and directories of sysfs and procfs; what is not there, or has just vanished, is null or empty.
using System.Buffers.Text;
using System.IO.Enumeration;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Kernel;

internal static class SysfsReader
{
    /// <summary>A sysfs attribute is never longer than a page.</summary>
    internal const int MaxFileSize = 4096;

    // Every reading is one thread's.
    [ThreadStatic]
    private static Errno trouble;

    /// <summary>
    /// The last error of this thread's readings that says nothing about what is there: no descriptor or memory left, an I/O error,
    /// permission denied. None when whatever was missing was really not there.
    /// </summary>
    internal static Errno Trouble => trouble;

    internal static void ForgetTrouble() => trouble = Errno.None;

    internal static bool? Bool(string path)
    {
        Span<byte> buffer = stackalloc byte[16];
        return Read(path, buffer) is { } length ? SysfsBool.Parse(buffer[..length]) : null;
    }

    internal static ulong? Number(string path)
    {
        Span<byte> buffer = stackalloc byte[32];
        if (Read(path, buffer) is not { } length)
            return null;
        var text = buffer[..length].TrimEnd((byte)'\n');
        return Utf8Parser.TryParse(text, out ulong value, out var used) && used == text.Length ? value : null;
    }

    internal static int? SmallNumber(string path) => Number(path) is { } value and <= int.MaxValue ? (int)value : null;

    /// <summary>Null when the file is not there, cannot be read, or vanished while being read (sysfs answers ENODEV then).</summary>
    internal static int? Read(string path, Span<byte> buffer)
    {
        // Non-blocking: a test tree may hold anything under the name of a file.
        var opened = Sys.Open(path, LibC.ReadOnly | LibC.NonBlock);
        if (!opened.IsOk)
            return Missing(opened.Errno);
        using var file = opened.Value;
        var read = Sys.Read(file, buffer);
        return read.IsOk ? read.Value : Missing(read.Errno);
    }

    /// <summary>Names of the sub-directories, in byte order, at most <paramref name="max"/>; symbolic links are not followed.</summary>
    internal static List<string> Directories(string path, int max) => Entries(path, max, directories: true);

    /// <summary>Names of everything else.</summary>
    internal static List<string> Files(string path, int max) => Entries(path, max, directories: false);

    private static int? Missing(Errno errno)
    {
        if (errno is not (Errno.ENOENT or Errno.ENODEV or Errno.ENOTDIR or Errno.ENXIO or Errno.EINVAL or Errno.EPERM or Errno.EISDIR or Errno.ELOOP))
            trouble = errno;
        return null;
    }

    private static List<string> Entries(string path, int max, bool directories)
    {
        var names = new List<string>();
        try
        {
            var entries = new FileSystemEnumerable<string>(path, static (ref entry) => entry.FileName.ToString(), Plain)
            {
                ShouldIncludePredicate = (ref entry) => entry.IsDirectory == directories,
            };
            foreach (var name in entries)
            {
                if (names.Count == max)
                    break;
                names.Add(name);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Gone, or gone in the middle: what was seen so far counts.
        }
        catch (UnauthorizedAccessException)
        {
            _ = Missing(Errno.EACCES);
        }
        catch (IOException e)
        {
            _ = Missing((Errno)(e.HResult & 0xffff));
        }
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    private static EnumerationOptions Plain { get; } = new() { AttributesToSkip = 0, IgnoreInaccessible = false };
}
