// The host's mark on disk: which boots were shut down, and whether this daemon ends badly again and again in the present one.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux.Store;
using LivePatchd.Log;

namespace LivePatchd.Loop;

/// <summary>Open and Begin are the loop's, End is for whoever stops it, after it has ended.</summary>
internal sealed class HostBook(StateFile file, DaemonLog log)
{
    public const string Path = "/var/lib/livepatchd/state/host";

    private HostMark? mark;
    private bool due;
    private bool begun;
    private bool told;

    /// <summary>Boots that are known to have ended by a shutdown.</summary>
    public IReadOnlySet<string> CleanBoots { get; private set; } = new HashSet<string>();

    /// <summary>Not null: this run observes only. A clean stop ends that for the next one.</summary>
    public Reason? Bar { get; private set; }

    public void Open(string bootId, Instant now)
    {
        var read = file.Read();
        var before = read.IsOk ? HostMark.Decode(read.Value) : null;
        if (before is null && read.Errno is not Errno.ENOENT)
            log.Problem(EventKind.JournalProblem, $"{Path} {(read.IsOk ? "is damaged" : $"cannot be read ({read.WithoutValue})")}: the last boot does not count as shut down");
        CleanBoots = before is { ShutDown: true } && before.BootId != bootId ? new HashSet<string> { before.BootId } : new HashSet<string>();
        Bar = CrashLoop.Decide(HostMark.Earlier(before, bootId), now);
        mark = HostMark.Begin(before, bootId, now);
        if (Bar is { } bar)
            log.Problem(EventKind.CrashLoop, $"livepatchd ended uncleanly {CrashLoop.MaxEnds} times in the last {CrashLoop.Window.TotalMinutes:0} minutes; this run observes only", bar);
    }

    /// <summary>
    /// Once the journal knows what followed from the old mark, which this one replaces. Again as often as one likes: what could not be written
    /// is tried again.
    /// </summary>
    public void Begin()
    {
        due = mark is not null;
        if (due && !begun)
            begun = Write(mark!);
    }

    /// <summary>Also where the begin could not be written: the disk may be writable by now.</summary>
    /// <param name="shutDown">The host is going down.</param>
    public void End(bool shutDown)
    {
        if (due)
            _ = Write(mark!.End(shutDown));
    }

    private bool Write(HostMark next)
    {
        var written = file.Write(next.Encode());
        if (!written.IsOk && !told)
            log.Problem(EventKind.JournalProblem, $"{Path} cannot be written: {written}", Reason.JournalUnavailable, errno: written.Errno);
        told = !written.IsOk;
        return written.IsOk;
    }
}
