// The ledger with its journal: a record counts once it is synced to disk, then it is folded in.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux;
using LivePatchd.Linux.Store;
using LivePatchd.Log;

namespace LivePatchd.Loop;

/// <param name="crashes">What the kernel kept of crashes.</param>
internal sealed class JournalBook(AppendLog file, HostBook host, Func<ImmutableArray<CrashDump>> crashes, MonotonicClock clock, DaemonLog log) : IDisposable
{
    public const string Path = "/var/lib/livepatchd/state/journal";

    /// <summary>Above this size the journal is rewritten at start with what still matters.</summary>
    private const int CompactAbove = 256 * 1024;

    /// <summary>
    /// A finding against a patch, and the steps by which it goes, are written before the kernel is asked, as all records are; but no longer
    /// than this are they waited for. Then they count as on a full disk.
    /// </summary>
    private static readonly TimeSpan DiskPatience = TimeSpan.FromSeconds(1);

    private readonly BoundedWrite writer = new("journal", log);

    /// <summary>The ledger says what the journal of this boot says: from then on it is not given up for a file that cannot be read.</summary>
    private bool known;

    /// <summary>The file had content in this run: when it has none any more, it was lost.</summary>
    private bool filled;

    /// <summary>What is appended to the file will be read again.</summary>
    private bool open;

    /// <summary>Records that count although they could not be written; the next rewriting has them.</summary>
    private readonly List<JournalRecord> unwritten = [];

    public Ledger Ledger { get; private set; } = Ledger.Empty("");

    /// <summary>Null, or why nothing may be changed: an unreadable journal means that we may not know what we own.</summary>
    public Reason? Bar { get; private set; }

    /// <summary>The ledger is whole although the file was found damaged: it had been read in this run, and was good then.</summary>
    public bool Stands { get; private set; }

    /// <summary>Something is remembered that the file does not say, or it cannot be written: worth another <see cref="Open"/>.</summary>
    public bool IsBehind => Bar is Reason.JournalUnavailable || unwritten.Count > 0 || (Bar is not null && !open);

    /// <summary>The file says all that followed from the mark of the boot before: that mark may be replaced.</summary>
    public bool HasLearned { get; private set; }

    /// <summary>Also the way back from an unavailable journal: rewriting it proves that it can be written again.</summary>
    public void Open(string bootId)
    {
        if (!HasAnswered())
            return;
        if (!known)
            Ledger = Ledger.Empty(bootId);
        var read = file.ReadAll();
        if (read.IsOk && read.Value.Length == 0 && filled)
            read = SysResult.Fail<byte[]>(Errno.ENOENT, "open");
        if (!read.IsOk)
        {
            Unavailable($"The journal cannot be read: {read.WithoutValue}");
            return;
        }
        filled |= read.Value.Length > 0;
        var content = JournalCodec.Decode(read.Value);
        if (content is { Newer: true, Damage: { } unknown })
        {
            LeaveToNewer(read.Value, unknown, bootId);
            return;
        }
        if (content.Damage is { } damage)
        {
            SetAside(read.Value, damage, bootId);
            return;
        }
        // Before anything is planned: who was on probation when a host went down is known from what other boots have left open.
        var guard = CrashGuard.Learn(content.Records, bootId, host.CleanBoots, clock.Now(), crashes, host.CrashedBoot);
        ImmutableArray<JournalRecord> records = [.. content.Records, .. guard, .. unwritten];
        // What stands in for a damaged file knows less than the ledger.
        var salvaged = Bar is Reason.JournalUnreadable;
        if (!salvaged)
            Ledger = LedgerFold.Replay(records, bootId);
        // Nothing may follow a torn record, nor come before what the guard has found.
        open = guard.IsEmpty && content.Whole == read.Value.Length && content.Whole > 0;
        known = true;
        HasLearned |= guard.IsEmpty;
        Tell(guard);
        if (open && unwritten.Count == 0 && Bar is null && content.Whole <= CompactAbove)
            return;
        var written = Rewrite(Compaction.Keep(records, bootId));
        if (!written.IsOk)
        {
            Unavailable($"The journal cannot be written: {written}");
            return;
        }
        open = HasLearned = true;
        unwritten.Clear();
        if (!salvaged)
            Bar = null;
    }

    /// <summary>False when it could not be made durable and is not urgent: then the step that needs it must not be taken.</summary>
    public bool Record(JournalRecord record)
    {
        if (!known)
            return false;
        // Behind what is not written nothing may be: the order is part of what the journal says.
        if (!HasAnswered() || !open || unwritten.Count > 0)
            return Remember(record);
        // What holds for this boot only cannot be missed after a power cut; the process may die at any time without losing it.
        var durable = record.Kind is RecordKind.LoadIntent || Compaction.Outlives(record.Kind);
        // Before a durable one everything is synced.
        var bytes = JournalCodec.EncodeBehind(durable ? 0 : file.Unsynced, record);
        SysResult Write() => file.Append(bytes, durable);
        var written = UrgentRecord.CountsUnwritten(record, Ledger) ? writer.Run(Write, DiskPatience) : Write();
        if (written is not { IsOk: true })
        {
            Unavailable(written is { } failed ? $"The journal cannot be written: {failed}" : "The journal cannot be written: its disk does not answer");
            return Remember(record);
        }
        if (Bar is Reason.JournalUnavailable)
            Bar = null;
        StepPoints.Recorded(record.Kind);
        Ledger = LedgerFold.Apply(Ledger, record);
        return true;
    }

    /// <summary>Called when there is nothing else to do.</summary>
    public void Flush()
    {
        if (!HasAnswered() || !open || file.Unsynced == 0)
            return;
        Failpoint.At("journal.flush.before");
        if (file.Sync() is { IsOk: false } failed)
            Unavailable($"The journal cannot be synced: {failed}");
    }

    /// <summary>What is being written is waited for, but not for ever.</summary>
    public void Dispose()
    {
        writer.Dispose();
        if (!writer.IsBusy)
            file.Dispose();
    }

    /// <summary>False while the disk owes an answer: until then the file is not touched. What it has written late is written.</summary>
    private bool HasAnswered()
    {
        if (writer.IsBusy)
            return false;
        if (writer.Collect() is { IsOk: true })
            unwritten.RemoveAt(0);
        return true;
    }

    /// <summary>
    /// The damaged file is copied for people to look at, then replaced by what protects the host. Until the new one is whole, the damaged one
    /// is what the next start finds.
    /// </summary>
    private void SetAside(byte[] damaged, string damage, string bootId)
    {
        if (Bar is not Reason.JournalUnreadable)
            Stands = known;
        Bar = Reason.JournalUnreadable;
        Failpoint.At("journal.damaged");
        var left = Salvage.Of(damaged, bootId);
        var guard = CrashGuard.Learn(left, bootId, host.CleanBoots, clock.Now(), crashes, host.CrashedBoot);
        ImmutableArray<JournalRecord> records = [.. left, .. guard, .. unwritten];
        if (!known)
            Ledger = LedgerFold.Replay(records, bootId);
        known = true;
        var aside = file.CopyAside(damaged, ".damaged");
        open = aside.IsOk && Rewrite(records).IsOk;
        HasLearned |= open;
        if (open)
            unwritten.Clear();
        Tell(guard);
        log.Problem(EventKind.JournalProblem, $"The journal is damaged ({damage}); set aside: {aside}", Bar);
    }

    /// <summary>
    /// The file belongs to the newer version that wrote it: it is neither replaced nor appended to, so nothing of it is lost. What this
    /// version understands of it protects the host meanwhile.
    /// </summary>
    private void LeaveToNewer(byte[] content, string what, string bootId)
    {
        open = false;
        if (Bar is Reason.JournalNewer)
            return;
        Stands = known;
        Bar = Reason.JournalNewer;
        if (!known)
        {
            var left = Salvage.Of(content, bootId);
            var guard = CrashGuard.Learn(left, bootId, host.CleanBoots, clock.Now(), crashes, host.CrashedBoot);
            Ledger = LedgerFold.Replay([.. left, .. guard, .. unwritten], bootId);
            Tell(guard);
        }
        known = true;
        log.Problem(EventKind.JournalProblem, $"The state log is a newer version's ({what}) and stays as it is; this run observes only", Bar);
    }

    private void Tell(ImmutableArray<JournalRecord> guard)
    {
        foreach (var finding in guard.Where(g => g.Kind is RecordKind.Quarantined))
            log.Problem(EventKind.CrashGuard, $"{finding.Name}: {(finding.Grade is EvidenceGrade.Suspect ? "suspected" : "quarantined")}: {finding.Detail}", finding.Reason, finding.Name, finding.Digest);
    }

    private bool Remember(JournalRecord record)
    {
        if (!UrgentRecord.CountsUnwritten(record, Ledger))
            return false;
        unwritten.Add(record);
        Ledger = LedgerFold.Apply(Ledger, record);
        return true;
    }

    private SysResult Rewrite(IEnumerable<JournalRecord> records)
    {
        var bytes = new List<byte>(System.Text.Encoding.ASCII.GetBytes(JournalCodec.VersionLine));
        foreach (var record in records)
            bytes.AddRange(JournalCodec.Encode(record));
        Failpoint.At("journal.compact.before");
        var replaced = file.Replace([.. bytes]);
        filled |= replaced.IsOk;
        Failpoint.At("journal.compact.done");
        return replaced;
    }

    /// <summary>Said once, not at every attempt.</summary>
    private void Unavailable(string what)
    {
        if (Bar is null)
            log.Problem(EventKind.JournalProblem, what, Reason.JournalUnavailable);
        Bar ??= Reason.JournalUnavailable;
    }
}
