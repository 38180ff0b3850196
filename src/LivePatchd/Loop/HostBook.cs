// The host's mark on disk: which boots were shut down, and whether this daemon ends badly again and again in the present one.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux.Store;
using LivePatchd.Log;

namespace LivePatchd.Loop;

/// <summary>Open and Begin are the loop's, End is for whoever stops it, after it has ended.</summary>
/// <param name="end">How the last run ended, where its service manager has written it down; see <see cref="RunEnd"/>.</param>
internal sealed class HostBook(StateFile file, StateFile end, DaemonLog log)
{
    public const string Path = "/var/lib/livepatchd/state/host";
    public const string EndPath = "/var/lib/livepatchd/state/end";

    private HostMark? mark;
    private bool due;
    private bool begun;
    private bool told;

    /// <summary>Boots that are known to have ended by a shutdown.</summary>
    public IReadOnlySet<string> CleanBoots { get; private set; } = new HashSet<string>();

    /// <summary>The boot before this one, when it is known not to have ended so; null also at later starts in this boot.</summary>
    public string? CrashedBoot { get; private set; }

    /// <summary>When this run, which only observes until then, may act again; null when it may. A clean stop ends it for the next run.</summary>
    public Instant? BarredUntil { get; private set; }

    public void Open(string bootId, Instant now)
    {
        var read = file.Read();
        var before = read.IsOk ? HostMark.Decode(read.Value) : null;
        if (before is null && read.Errno is not Errno.ENOENT)
            log.Problem(EventKind.JournalProblem, $"{Path} {(read.IsOk ? "is damaged" : $"cannot be read ({read.WithoutValue})")}: the last boot does not count as shut down");
        var killed = end.Read() is { IsOk: true, Value: var word } && word.AsSpan().SequenceEqual(RunEnd.FromOutside);
        if (killed)
            before = before?.WithoutLastRun();
        CleanBoots = before is { ShutDown: true } && before.BootId != bootId ? new HashSet<string> { before.BootId } : new HashSet<string>();
        CrashedBoot = before is { ShutDown: false } && before.BootId != bootId ? before.BootId : null;
        BarredUntil = CrashLoop.BarredUntil(HostMark.Earlier(before, bootId), now);
        mark = HostMark.Begin(before, bootId, now);
        if (BarredUntil is { } until)
        {
            log.Problem(
                EventKind.CrashLoop,
                $"livepatchd ended uncleanly {CrashLoop.MaxEnds} times in the last {CrashLoop.Window.TotalMinutes:0} minutes; it observes only for {until.Since(now).TotalMinutes:0} minutes",
                Reason.CrashLoop);
        }
    }

    /// <summary>At every look.</summary>
    public Reason? Bar(Instant now)
    {
        if (BarredUntil is not { } until)
            return null;
        if (now.IsBefore(until))
            return Reason.CrashLoop;
        BarredUntil = null;
        log.Note(EventKind.CrashLoop, "The pause after unclean ends is over; livepatchd acts again");
        return null;
    }

    /// <summary>
    /// Once the journal knows what followed from the old mark, which this one replaces. Again as often as one likes: what could not be written
    /// is tried again.
    /// </summary>
    public void Begin()
    {
        due = mark is not null;
        if (!due || begun)
            return;
        begun = Write(mark!);
        if (begun)
            _ = end.Remove();
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
