// The ledger with its journal: a record counts once it is synced to disk, then it is folded in.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux;
using LivePatchd.Linux.Store;
using LivePatchd.Log;

namespace LivePatchd.Loop;

internal sealed class JournalBook(AppendLog file, HostBook host, MonotonicClock clock, DaemonLog log) : IDisposable
{
    public const string Path = "/var/lib/livepatchd/state/journal";

    /// <summary>Above this size the journal is rewritten at start with what still matters.</summary>
    private const int CompactAbove = 256 * 1024;

    /// <summary>The journal's content is known, or set aside: what is appended to it will be read again.</summary>
    private bool open;

    /// <summary>Records that count although they could not be written; the next rewriting has them.</summary>
    private readonly List<JournalRecord> unwritten = [];

    public Ledger Ledger { get; private set; } = Ledger.Empty("");

    /// <summary>Null, or why nothing may be changed: an unreadable journal means that we may not know what we own.</summary>
    public Reason? Bar { get; private set; }

    /// <summary>Also the way back from an unavailable journal: rewriting it proves that it can be written again.</summary>
    public void Open(string bootId)
    {
        open = false;
        Ledger = Ledger.Empty(bootId);
        var read = file.ReadAll();
        if (!read.IsOk)
        {
            Unavailable($"The journal cannot be read: {read.WithoutValue}");
            return;
        }
        var content = JournalCodec.Decode(read.Value);
        if (content.Damage is { } damage)
        {
            Bar = Reason.JournalUnreadable;
            Failpoint.At("journal.damaged");
            var aside = file.SetAside(".damaged");
            open = aside.IsOk && Rewrite(unwritten).IsOk;
            unwritten.Clear();
            log.Problem(EventKind.JournalProblem, $"The journal is damaged ({damage}); set aside: {aside}", Bar);
            return;
        }
        // Before anything is planned: who was on probation when a host went down is known from what other boots have left open.
        var guard = CrashGuard.Learn(content.Records, bootId, host.CleanBoots, clock.Now());
        ImmutableArray<JournalRecord> records = [.. content.Records, .. guard, .. unwritten];
        Ledger = LedgerFold.Replay(records, bootId);
        open = true;
        foreach (var finding in guard.Where(g => g.Kind is RecordKind.Quarantined))
            log.Problem(EventKind.CrashGuard, $"{finding.Name}: quarantined: {finding.Detail}", finding.Reason, finding.Name, finding.Digest);
        if (guard.IsEmpty && unwritten.Count == 0 && Bar is null && content.Whole == read.Value.Length && content.Whole is > 0 and <= CompactAbove)
            return;
        var written = Rewrite(Compaction.Keep(records, bootId));
        if (!written.IsOk)
        {
            Unavailable($"The journal cannot be written: {written}");
            return;
        }
        unwritten.Clear();
        Bar = null;
    }

    /// <summary>False when it could not be made durable and is not urgent: then the step that needs it must not be taken.</summary>
    public bool Record(JournalRecord record)
    {
        if (!open)
            return false;
        // Behind what is not written nothing may be: the order is part of what the journal says.
        if (unwritten.Count > 0)
            return Remember(record);
        // What holds for this boot only cannot be missed after a power cut; the process may die at any time without losing it.
        var durable = record.Kind is RecordKind.LoadIntent || Compaction.Outlives(record.Kind);
        // Before a durable one everything is synced.
        var written = file.Append(JournalCodec.EncodeBehind(durable ? 0 : file.Unsynced, record), durable);
        if (!written.IsOk)
        {
            Unavailable($"The journal cannot be written: {written}");
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
        if (!open || file.Unsynced == 0)
            return;
        Failpoint.At("journal.flush.before");
        if (file.Sync() is { IsOk: false } failed)
            Unavailable($"The journal cannot be synced: {failed}");
    }

    public void Dispose() => file.Dispose();

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
