// Lists a directory: all of its names in byte order, or the errno why not; never a part of it.
using System.IO.Enumeration;
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Store;

internal static class DirectoryListing
{
    private static EnumerationOptions Everything { get; } = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <summary>E2BIG when there are more than <paramref name="max"/> of those that count.</summary>
    /// <param name="counts">By the name; the others are left out. Null: all do.</param>
    internal static SysResult<List<string>> Read(string path, int max, Func<string, bool>? counts = null)
    {
        var names = new List<string>();
        try
        {
            foreach (var name in new FileSystemEnumerable<string>(path, static (ref entry) => entry.FileName.ToString(), Everything))
            {
                if (counts?.Invoke(name) == false)
                    continue;
                if (names.Count == max)
                    return SysResult.Fail<List<string>>(Errno.E2BIG, "readdir");
                names.Add(name);
            }
        }
        catch (DirectoryNotFoundException)
        {
            return SysResult.Fail<List<string>>(Errno.ENOENT, "opendir");
        }
        catch (UnauthorizedAccessException)
        {
            return SysResult.Fail<List<string>>(Errno.EACCES, "opendir");
        }
        catch (IOException)
        {
            return SysResult.Fail<List<string>>(Errno.EIO, "readdir");
        }
        names.Sort(StringComparer.Ordinal);
        return SysResult.Ok(names);
    }
}
