// x
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Store;

public sealed class AppendLog(SystemRoot root, string path) : IDisposable
{
    public const int MaxSize = 16 << 20;

    public SysResult<byte[]> ReadAll() => throw new NotImplementedException(root.Prefix + path);

    public SysResult Append(ReadOnlySpan<byte> record) => throw new NotImplementedException();

    public SysResult Replace(ReadOnlySpan<byte> content) => throw new NotImplementedException();

    public SysResult SetAside(string suffix) => throw new NotImplementedException();

    public void Dispose() { }
}
