// What people say about patches: trusted before the soak ends, or given another chance after a quarantine.
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;
using LivePatchd.Log;

namespace LivePatchd.Loop;

/// <summary>On the loop's thread only.</summary>
internal sealed class TrustDesk(JournalBook journal, MonotonicClock clock, DaemonLog log)
{
    private readonly List<BusCall> done = [];

    /// <param name="known">Something is known of the name, if only its file.</param>
    public void Confirm(Command.Confirm asking, bool known)
    {
        var ledger = journal.Ledger;
        if (Probation.Confirm(asking.Name, ledger, clock.Now()) is { } record)
        {
            if (Recorded(record, asking.Call))
                log.Note(EventKind.Confirmed, $"{asking.Name}: confirmed by uid {asking.Uid}", asking.Name, record.Digest);
            return;
        }
        if (!known)
            asking.Call?.ReplyError(BusErrors.NoSuchPatch, $"no patch {asking.Name}");
        else if (ledger.Owned.TryGetValue(asking.Name, out var owned) && ledger.Confirmed.Has(owned.Identity))
            Answered(asking.Call); // As asked for, if not by this request.
        else
            asking.Call?.ReplyError(BusErrors.InvalidArgument, $"{asking.Name} is not soaking, so there is nothing to confirm");
    }

    /// <inheritdoc cref="Confirm"/>
    public void Release(Command.Release asking, bool known)
    {
        var marks = journal.Ledger.Quarantined.Values.Where(q => q.Name == asking.Name).ToList();
        if (marks.Count == 0)
        {
            asking.Call?.ReplyError(known ? BusErrors.InvalidArgument : BusErrors.NoSuchPatch, known ? $"{asking.Name} is not under quarantine" : $"no patch {asking.Name}");
            return;
        }
        foreach (var mark in marks.SkipLast(1))
        {
            if (!journal.Record(Record(mark)))
                break;
            log.Note(EventKind.Released, Said(asking, mark), asking.Name, mark.Patch.Digest);
        }
        var last = marks[^1];
        if (Recorded(Record(last), asking.Call))
            log.Note(EventKind.Released, Said(asking, last), asking.Name, last.Patch.Digest);
    }

    /// <summary>After the snapshot is on its way to the bus: a caller must find there what it has done.</summary>
    public void Answer()
    {
        done.ForEach(static call => call.Reply());
        done.Clear();
    }

    private JournalRecord Record(QuarantineMark mark) =>
        new(RecordKind.Released, mark.Name, journal.Ledger.BootId, clock.Now(), mark.Patch.Digest) { Content = mark.Patch.Content };

    private static string Said(Command.Release asking, QuarantineMark mark) => $"{asking.Name}: out of quarantine by uid {asking.Uid}; it was there for {mark.Reason.Word()}";

    private bool Recorded(JournalRecord record, BusCall? call)
    {
        if (!journal.Record(record))
        {
            call?.ReplyError(BusErrors.Failed, $"{Reason.JournalUnavailable.Word()}: {Reason.JournalUnavailable.Info().Sentence}");
            return false;
        }
        Answered(call);
        return true;
    }

    private void Answered(BusCall? call)
    {
        if (call is not null)
            done.Add(call);
    }
}
