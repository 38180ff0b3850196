// Which records need no disk before they count: those by which a patch that does harm comes out of the kernel.

namespace LivePatchd.Core.Recovery;

public static class UrgentRecord
{
    /// <summary>
    /// True for a finding against a patch, and for the steps by which it goes. While the journal cannot be written nothing is loaded, so
    /// what is only remembered cannot be contradicted by a load; a patch that stays because a disk is full goes on doing harm.
    /// </summary>
    public static bool CountsUnwritten(JournalRecord record, Ledger ledger) => record.Kind switch
    {
        RecordKind.Quarantined or RecordKind.Unconfirmed => true,
        RecordKind.DisableIntent or RecordKind.RevertFailed or RecordKind.Gone =>
            ledger.Owned.TryGetValue(record.Name, out var owned)
            && (ledger.Against(owned) is not null || ledger.IsUnconfirmed(record.Name, owned.Identity)),
        _ => false,
    };
}
