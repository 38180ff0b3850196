// x
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Watch;

public sealed class DirectoryWatcher : IDisposable
{
    public DirectoryWatcher(SystemRoot root) => throw new NotImplementedException(root.Prefix);

    public SafeFileHandle Fd { get; }

    /// <summary>Watches exactly these directories (absolute on the host); for a missing one, the nearest parent that exists.</summary>
    public void Sync(IEnumerable<string> directories) => throw new NotImplementedException();

    /// <summary>True when something may have changed: look again. Then call <see cref="Sync"/>.</summary>
    public bool Drain() => throw new NotImplementedException();

    public void Dispose() { }
}
