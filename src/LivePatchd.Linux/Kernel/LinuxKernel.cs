// x
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Kernel;

public sealed class LinuxKernel(SystemRoot root) : IKernel
{
    public ObservedState Observe(IReadOnlyCollection<PatchName> alsoModules) => throw new NotImplementedException(root.Prefix);

    public SysResult Load(SafeFileHandle module, bool compressed) => throw new NotImplementedException();

    public SysResult SetEnabled(PatchName name, bool enabled) => throw new NotImplementedException();

    public SysResult Unload(PatchName name) => throw new NotImplementedException();
}
