// x
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

public sealed class PatchStore(SystemRoot root)
{
    public IntakeResult Intake(string path) => throw new NotImplementedException(root.Prefix);

    public SysResult<SafeFileHandle> OpenStored(StoredPatch patch) => throw new NotImplementedException();

    /// <summary>Removes the copies that nobody wants or owns, and temporary files of a crashed run; the number removed.</summary>
    public int Collect(IReadOnlySet<Sha256> keep) => throw new NotImplementedException();
}
