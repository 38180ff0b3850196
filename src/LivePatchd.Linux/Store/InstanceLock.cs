// x
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Store;

public sealed class InstanceLock(SystemRoot root) : IDisposable
{
    public SysResult TryAcquire() => throw new NotImplementedException(root.Prefix);

    public void Dispose() { }
}
