// Replaces a file's content as one step that survives a power cut.
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Store;

public static class AtomicFile
{
    /// <summary>Whole new content or whole old content, whatever happens in between; durable when it returns success.</summary>
    /// <param name="path">As the file system has it: under a test root, with its prefix.</param>
    public static SysResult Write(string path, ReadOnlySpan<byte> content, uint mode)
    {
        if (Path.GetDirectoryName(path) is not { Length: > 0 } directory)
            return SysResult.Fail(Errno.EINVAL, "open");
        var created = TempFile.Create(directory, mode);
        if (!created.IsOk)
            return created.WithoutValue;
        using var file = created.Value;
        var published = file.Publish(content, path);
        return published.IsOk ? TempFile.SyncDirectory(directory) : published;
    }
}
