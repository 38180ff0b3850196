// Rings when something is mounted or unmounted: a volume over a watched directory that comes or goes raises no event in the directory.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Watch;

/// <summary>
/// A hint only, like the events of a directory. Hosts full of containers mount without end, so it rings once a second at most; a change in
/// between is not lost, because the kernel counts them. Without the table there is the periodic scan. Not thread-safe.
/// </summary>
public sealed class MountWatch : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly SafeFileHandle? table;
    private Instant? quietUntil;
    private bool rung;

    public MountWatch(SystemRoot root)
    {
        ArgumentNullException.ThrowIfNull(root);
        var opened = Sys.Open(root.Path(FileSystemOf.MountTable), LibC.ReadOnly);
        table = opened.IsOk ? opened.Value : null;
    }

    /// <summary>To be waited for until it is urgent; null while it is not worth it.</summary>
    public SafeFileHandle? Fd(Instant now) => Due(now) is null ? table : null;

    /// <summary>When it is worth waiting for again; null when it is now.</summary>
    public Instant? Due(Instant now) => quietUntil is { } until && now.IsBefore(until) ? until : null;

    /// <summary>The wait for the descriptor ended with it.</summary>
    public void Rung() => rung = true;

    /// <summary>True when the mounts have changed: look at the directories again.</summary>
    public bool Drain(Instant now)
    {
        if (!rung)
            return false;
        rung = false;
        quietUntil = now.After(Pause);
        return true;
    }

    public void Dispose() => table?.Dispose();
}
