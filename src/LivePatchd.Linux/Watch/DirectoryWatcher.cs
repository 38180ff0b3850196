// inotify on the watched directories: says that something may have changed, never what.
using System.Buffers.Binary;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Watch;

/// <summary>
/// Events are hints only: whoever is woken looks at the directories itself, and calls <see cref="Sync"/> again, because directories come and go.
/// Mounts over a directory raise no event: <see cref="MountWatch"/> is for them. Not thread-safe.
/// </summary>
public sealed class DirectoryWatcher : IDisposable
{
    private const uint Attributes = 0x4;
    private const uint CloseWrite = 0x8;
    private const uint MovedFrom = 0x40;
    private const uint MovedTo = 0x80;
    private const uint Created = 0x100;
    private const uint Deleted = 0x200;
    private const uint DeletedSelf = 0x400;
    private const uint MovedSelf = 0x800;
    private const uint Overflow = 0x4000;
    private const uint Ignored = 0x8000;
    private const uint OnlyDirectory = 0x0100_0000;
    private const uint ConcernsDirectory = 0x4000_0000;

    // Attributes: an operator who corrects owner or mode of a refused file wants it looked at again.
    private const uint Interest =
        Attributes | CloseWrite | MovedFrom | MovedTo | Created | Deleted | DeletedSelf | MovedSelf | OnlyDirectory;

    private const int EventHeader = 16;
    private const int MaxReadsPerDrain = 64;
    private const int AppearanceAttempts = 4;

    private readonly SystemRoot root;
    private readonly byte[] buffer = new byte[16 << 10];
    private Dictionary<int, Watch> watches = [];

    public DirectoryWatcher(SystemRoot root)
    {
        this.root = root;
        Open();
    }

    /// <summary>
    /// Null while there is none to be had (EMFILE: fs.inotify.max_user_instances, which hosts full of containers use up); every
    /// <see cref="Sync"/> tries again.
    /// </summary>
    public SafeFileHandle? Fd { get; private set; }

    /// <summary>
    /// Watches exactly these directories (absolute on the host); for a missing one, its nearest parent until it appears. The result is the first
    /// failure (ENOSPC: fs.inotify.max_user_watches); the directories it concerns are seen by periodic scans only. Without a descriptor, all.
    /// </summary>
    public SysResult Sync(IEnumerable<string> directories)
    {
        ArgumentNullException.ThrowIfNull(directories);
        var opened = Open();
        if (Fd is not { } fd)
            return opened;
        var next = new Dictionary<int, Watch>();
        var result = SysResult.Success;
        foreach (var directory in directories)
        {
            var added = Add(fd, directory, next);
            if (result.IsOk)
                result = added;
        }
        foreach (var old in watches.Keys)
        {
            if (!next.ContainsKey(old))
                _ = LibC.inotify_rm_watch(fd, old);
        }
        watches = next;
        return result;
    }

    /// <summary>True when something may have changed: look again.</summary>
    public bool Drain()
    {
        if (Fd is not { } fd)
            return false;
        var changed = false;
        for (var reads = 0; reads < MaxReadsPerDrain; reads++)
        {
            var read = Sys.ReadOnce(fd, buffer);
            if (!read.IsOk || read.Value == 0)
                return changed;
            changed |= Concerns(buffer.AsSpan(0, read.Value));
        }
        return true; // a flood: the descriptor stays readable
    }

    public void Dispose() => Fd?.Dispose();

    private SysResult Open()
    {
        if (Fd is not null)
            return SysResult.Success;
        var fd = LibC.inotify_init1(LibC.NonBlock | LibC.CloseOnExec);
        if (fd < 0)
            return Sys.Fail("inotify_init1");
        Fd = new SafeFileHandle(fd, ownsHandle: true);
        return SysResult.Success;
    }

    private SysResult Add(SafeFileHandle fd, string directory, Dictionary<int, Watch> next)
    {
        for (var attempt = 0; attempt < AppearanceAttempts; attempt++)
        {
            var (added, missing) = AddNearest(fd, directory.TrimEnd('/'), next);
            // A directory may have appeared between finding it missing and watching its parent.
            if (!added.IsOk || missing is null || !Directory.Exists(root.Path(missing)))
                return added;
        }
        return SysResult.Success;
    }

    // Missing is the path that would have to appear next; null when the directory itself is watched.
    private (SysResult Added, string? Missing) AddNearest(SafeFileHandle fd, string path, Dictionary<int, Watch> next)
    {
        string? missing = null;
        while (true)
        {
            var existing = path.Length == 0 ? "/" : path;
            var wd = LibC.inotify_add_watch(fd, root.Path(existing), Interest);
            if (wd >= 0)
            {
                Remember(next, wd, existing, missing is null ? null : Path.GetFileName(missing));
                return (SysResult.Success, missing);
            }
            if (Sys.LastError() is var errno && (errno is not (Errno.ENOENT or Errno.ENOTDIR) || path.Length == 0))
                return (SysResult.Fail(errno, "inotify_add_watch"), missing);
            missing = path;
            path = path[..path.LastIndexOf('/')];
        }
    }

    private static void Remember(Dictionary<int, Watch> next, int wd, string path, string? awaited)
    {
        if (!next.TryGetValue(wd, out var watch))
            next[wd] = watch = new Watch(path);
        if (awaited is null)
            watch.Everything = true;
        else
            watch.Awaited.Add(awaited);
    }

    private bool Concerns(ReadOnlySpan<byte> events)
    {
        while (events.Length >= EventHeader)
        {
            var wd = BinaryPrimitives.ReadInt32LittleEndian(events);
            var mask = BinaryPrimitives.ReadUInt32LittleEndian(events[4..]);
            var nameLength = (int)BinaryPrimitives.ReadUInt32LittleEndian(events[12..]);
            var name = Encoding.UTF8.GetString(events.Slice(EventHeader, nameLength).TrimEnd((byte)0));
            events = events[(EventHeader + nameLength)..];
            if (IsNews(wd, mask, name))
                return true;
        }
        return false;
    }

    private bool IsNews(int wd, uint mask, string name)
    {
        if ((mask & Overflow) != 0)
            return true;
        // Of a watch that was given up on purpose.
        if (!watches.TryGetValue(wd, out var watch))
            return false;
        if ((mask & (DeletedSelf | MovedSelf | Ignored)) != 0)
            return true;
        if (!watch.Everything)
            return watch.Awaited.Contains(name);
        // Hidden names are no patches: files on their way in carry them until they are renamed.
        if (name.StartsWith('.') && !watch.Awaited.Contains(name))
            return false;
        // A plain file that was only just created is still empty: its close-write follows. Anything else under a new name is complete.
        return (mask & Created) == 0 || (mask & ConcernsDirectory) != 0 || !IsOrdinaryFile($"{watch.Path.TrimEnd('/')}/{name}");
    }

    private bool IsOrdinaryFile(string path) =>
        Sys.Stat(root.Path(path), follow: false) is { IsOk: true, Value: { IsRegular: true, Links: 1 } };

    private sealed class Watch(string path)
    {
        internal string Path => path;

        /// <summary>Watched for itself, not only for a missing directory beneath it.</summary>
        internal bool Everything { get; set; }

        internal HashSet<string> Awaited { get; } = new(StringComparer.Ordinal);
    }
}
