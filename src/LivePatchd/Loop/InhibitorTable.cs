// Programs that ask for no change while they hold a descriptor: who they are, and when each lets go or dies.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Log;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Loop;

/// <param name="Sender">Unique bus name of the connection that asked; it may be gone while another process holds the descriptor.</param>
internal sealed record InhibitorLock(string Who, string Why, uint Uid, string Sender, Instant Since);

/// <summary>They live in this process only: a restart of the daemon ends them all, as their holders can see at their end.</summary>
internal sealed class InhibitorTable(DaemonLog log) : IDisposable
{
    public const int MaxAll = 32;

    /// <summary>Of one user, by however many connections; of one connection where the user is root, who has as many kept free besides.</summary>
    public const int MaxPerSender = 8;
    public const string Limit = "inhibit";

    /// <summary>An answer that has not been sent after so long never will be: its bus is gone.</summary>
    private static readonly TimeSpan HandOverLimit = TimeSpan.FromSeconds(30);

    private sealed record Entry(InhibitorLock Lock, PipeLock Pipe);

    private readonly SortedDictionary<ulong, Entry> entries = [];
    private readonly HangUpWatch watch = new();
    private ulong last;

    /// <summary>Readable when somebody has let go.</summary>
    public SafeFileHandle Fd => watch.Fd;

    /// <summary>Oldest first.</summary>
    public ImmutableArray<InhibitorLock> Locks { get; private set; } = [];

    /// <summary>EMFILE from <see cref="Limit"/> above the limits. The value is the token to hand over, and to close after that.</summary>
    public SysResult<SafeFileHandle> Add(InhibitorLock asked)
    {
        var root = asked.Uid == 0;
        var own = entries.Values.Count(e => root ? e.Lock.Sender == asked.Sender : e.Lock.Uid == asked.Uid);
        if (own >= MaxPerSender || entries.Count >= (root ? MaxAll : MaxAll - MaxPerSender))
            return SysResult.Fail<SafeFileHandle>(Errno.EMFILE, Limit);
        var pipe = PipeLock.Create();
        if (!pipe.IsOk)
            return SysResult.Fail<SafeFileHandle>(pipe.Errno, pipe.Call!);
        var added = watch.Add(pipe.Value.Watched, ++last);
        if (!added.IsOk)
        {
            pipe.Value.Dispose();
            return SysResult.Fail<SafeFileHandle>(added.Errno, added.Call!);
        }
        entries.Add(last, new Entry(asked, pipe.Value));
        log.Note(EventKind.InhibitorChanged, $"Inhibited by {asked.Who} (uid {asked.Uid}): {asked.Why}");
        Refresh();
        return SysResult.Ok(pipe.Value.Token);
    }

    /// <summary>Forgets those whose holders have let go.</summary>
    public void Sweep(Instant now)
    {
        foreach (var entry in entries.Values)
        {
            if (now.Since(entry.Lock.Since) >= HandOverLimit)
                entry.Pipe.Token.Dispose();
        }
        var gone = watch.Gone();
        foreach (var id in gone)
        {
            if (!entries.Remove(id, out var entry))
                continue;
            entry.Pipe.Dispose();
            log.Note(EventKind.InhibitorChanged, $"No longer inhibited by {entry.Lock.Who} (uid {entry.Lock.Uid})");
        }
        if (gone.Length > 0)
            Refresh();
    }

    public void Dispose()
    {
        foreach (var entry in entries.Values)
            entry.Pipe.Dispose();
        entries.Clear();
        watch.Dispose();
    }

    private void Refresh() => Locks = [.. entries.Values.Select(e => e.Lock)];
}
