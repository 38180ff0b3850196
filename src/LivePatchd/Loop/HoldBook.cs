// The operator's hold and the file in which it outlives the daemon and the boot.
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux;
using LivePatchd.Linux.Store;
using LivePatchd.Log;

namespace LivePatchd.Loop;

/// <summary>A file that cannot be read or understood may have held a hold, so it counts as one, with no end, until somebody takes it back.</summary>
internal sealed class HoldBook(StateFile file, DaemonLog log)
{
    public const string Path = "/var/lib/livepatchd/state/hold";

    private string bootId = "";

    /// <summary>The file could not even be read: it is tried again, for the disk may come back.</summary>
    private bool unread;

    /// <summary>Null when nobody holds.</summary>
    public StandingHold? Hold { get; private set; }

    public void Open(string boot, Instant now)
    {
        bootId = boot;
        var read = file.Read();
        if (read.Errno is Errno.ENOENT)
            return;
        Hold = read.IsOk ? HoldCodec.Decode(read.Value, boot, now) : null;
        unread = !read.IsOk;
        if (Hold is not null)
        {
            log.Note(EventKind.HoldChanged, $"Held by uid {Hold.Uid} since {Hold.Since.Wall:u}: {Hold.Why}");
            return;
        }
        var why = read.IsOk ? $"{Path} is damaged" : $"{Path} cannot be read ({read.WithoutValue})";
        Hold = new StandingHold($"{why}: there may have been a hold; unhold ends it", 0, now, null);
        log.Problem(EventKind.HoldChanged, $"{why}, which counts as a hold", Reason.OperatorHold);
    }

    /// <summary>In force only once it is durable. Replaces the one before.</summary>
    public SysResult Set(StandingHold hold)
    {
        var written = file.Write(HoldCodec.Encode(hold, bootId));
        if (!written.IsOk)
            return written;
        Failpoint.At("hold.written");
        (unread, Hold) = (false, hold);
        log.Note(EventKind.HoldChanged, $"Held by uid {hold.Uid}{(hold.Until is { } until ? $" until {until.Wall:u}" : "")}: {hold.Why}");
        return written;
    }

    public SysResult Release()
    {
        var removed = file.Remove();
        unread &= !removed.IsOk;
        Failpoint.At("hold.removed");
        if (removed.IsOk && Hold is not null)
        {
            Hold = null;
            log.Note(EventKind.HoldChanged, "The hold has been taken back");
        }
        return removed;
    }

    /// <summary>Ends what has run out. Its file may stay when it cannot be removed: it is over at the next start too.</summary>
    public void Expire(Instant now)
    {
        if (unread && file.Read() is { IsOk: true } or { Errno: Errno.ENOENT })
        {
            (unread, Hold) = (false, null);
            Open(bootId, now);
        }
        if (Hold?.IsOver(now) != true)
            return;
        Hold = null;
        _ = file.Remove();
        log.Note(EventKind.HoldChanged, "The hold has run out");
    }
}
