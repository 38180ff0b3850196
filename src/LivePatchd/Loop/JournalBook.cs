// The ledger with its journal: a record counts once it is synced to disk, then it is folded in.
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux.Store;
using LivePatchd.Log;

namespace LivePatchd.Loop;

internal sealed class JournalBook(AppendLog file, DaemonLog log) : IDisposable
{
    /// <summary>Above this size the journal is rewritten at start with what still matters.</summary>
    private const int CompactAbove = 256 * 1024;

    public Ledger Ledger { get; private set; } = Ledger.Empty("");

    /// <summary>Null, or why nothing may be changed: an unreadable journal means that we may not know what we own.</summary>
    public Reason? Bar { get; private set; }

    public void Open(string bootId)
    {
        Ledger = Ledger.Empty(bootId);
        var read = file.ReadAll();
        if (!read.IsOk)
        {
            Bar = Reason.JournalUnavailable;
            log.Problem(EventKind.JournalProblem, $"The journal cannot be read: {read.WithoutValue}", Bar);
            return;
        }
        var content = JournalCodec.Decode(read.Value);
        if (content.Damage is { } damage)
        {
            Bar = Reason.JournalUnreadable;
            var aside = file.SetAside("damaged");
            log.Problem(EventKind.JournalProblem, $"The journal is damaged ({damage}); set aside: {aside}", Bar);
            return;
        }
        Ledger = LedgerFold.Replay(content.Records, bootId);
        if (content.Whole < read.Value.Length || content.Whole == 0 || content.Whole > CompactAbove)
            Rewrite(content, bootId);
    }

    /// <summary>False when it could not be made durable: then the step that needs it must not be taken.</summary>
    public bool Record(JournalRecord record)
    {
        var written = file.Append(JournalCodec.Encode(record));
        if (!written.IsOk)
        {
            if (Bar is null)
                log.Problem(EventKind.JournalProblem, $"The journal cannot be written: {written}", Reason.JournalUnavailable);
            Bar ??= Reason.JournalUnavailable;
            return false;
        }
        if (Bar is Reason.JournalUnavailable)
            Bar = null;
        Ledger = LedgerFold.Apply(Ledger, record);
        return true;
    }

    public void Dispose() => file.Dispose();

    private void Rewrite(JournalContent content, string bootId)
    {
        var bytes = new List<byte>(System.Text.Encoding.ASCII.GetBytes(JournalCodec.VersionLine));
        foreach (var record in Compaction.Keep(content.Records, bootId))
            bytes.AddRange(JournalCodec.Encode(record));
        var result = file.Replace([.. bytes]);
        if (!result.IsOk)
        {
            Bar = Reason.JournalUnavailable;
            log.Problem(EventKind.JournalProblem, $"The journal cannot be written: {result}", Bar);
        }
    }
}
