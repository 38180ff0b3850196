// x
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Store;

public static class AtomicFile
{
    /// <summary>Whole new content or whole old content, whatever happens in between; durable when it returns success.</summary>
    public static SysResult Write(string path, ReadOnlySpan<byte> content, uint mode) => throw new NotImplementedException();
}
