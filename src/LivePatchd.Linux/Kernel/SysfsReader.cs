// Reads small files and directories of sysfs and procfs; what is not there, or has just vanished, is null or empty.
using System.Buffers.Text;
using System.IO.Enumeration;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Kernel;

internal static class SysfsReader
{
    /// <summary>A sysfs attribute is never longer than a page.</summary>
    internal const int MaxFileSize = 4096;

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
            return null;
        using var file = opened.Value;
        var read = Sys.Read(file, buffer);
        return read.IsOk ? read.Value : null;
    }

    /// <summary>Names of the sub-directories, in byte order, at most <paramref name="max"/>; symbolic links are not followed.</summary>
    internal static List<string> Directories(string path, int max)
    {
        var names = new List<string>();
        try
        {
            var entries = new FileSystemEnumerable<string>(path, static (ref entry) => entry.FileName.ToString(), Plain)
            {
                ShouldIncludePredicate = static (ref entry) => entry.IsDirectory,
            };
            foreach (var name in entries)
            {
                if (names.Count == max)
                    break;
                names.Add(name);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone, or gone in the middle: what was seen so far counts.
        }
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    private static EnumerationOptions Plain { get; } = new() { AttributesToSkip = 0, IgnoreInaccessible = false };
}
